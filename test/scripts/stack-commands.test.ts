/** What the commands on a running stack give the generator's container; a docker of the test's own records it. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const repository = fileURLToPath(new URL('../../', import.meta.url));

let folder = '';
/** Where the user is. */
let cwd = '';
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'stack ')));
  cwd = join(folder, 'my folder');
  await mkdir(cwd);
  await writeFile(
    join(folder, 'docker'),
    `#!/bin/sh
case $* in
  version*) [ -n "$NO_ENGINE" ] && { echo 'Cannot connect to the Docker daemon' >&2; exit 1; }; echo 29.0.0 ;;
  info*) echo "[name=seccomp $SECURITY]" ;;
  *' ps --quiet '*) echo 0123456789ab ;;
  *' run '*) printf '%s\\0' "$@" >'${folder}/run'; exit "\${STATUS:-0}" ;;
esac
`,
    { mode: 0o755 },
  );
});
afterEach(() => rm(folder, { recursive: true }));

interface Ended {
  code: number;
  err: string;
  /** The words of \`docker compose run\`, if it was called. */
  words: string[];
}

async function stack(words: string[], variables: Record<string, string> = {}): Promise<Ended> {
  const env = {
    PATH: `${folder}:/usr/local/bin:/usr/bin:/bin`,
    HOME: folder,
    REPORTS_FOLDER: join(folder, 'reports'),
    ...variables,
  };
  const { code, err } = await new Promise<Omit<Ended, 'words'>>((resolve) => {
    execFile(`${repository}scripts/stack.sh`, words, { env, cwd }, (error, _out, stderr) =>
      resolve({ code: Number(error?.code ?? 0), err: stderr }),
    );
  });
  const called = (await readFile(join(folder, 'run'), 'utf8').catch(() => '')).split('\0').slice(0, -1);
  return { code, err, words: called.slice(called.indexOf('run')) };
}

const optionsOf = (words: string[], option: string) =>
  words.flatMap((word, i) => (word === option ? [words[i + 1]] : []));
/** What the generator itself is given. */
const given = (words: string[]) => words.slice(words.indexOf('loadgen') + 1);
const mount = (path: string) => `${path}:${path}`;

describe('the generator of make load', () => {
  it('works in the current folder as the user, and writes its page to the reports', async () => {
    const { code, words } = await stack(['load', 'own.yaml', '--rate', '20', '--json', 'out.json']);
    expect(code).toBe(0);
    expect(optionsOf(words, '--workdir')).toEqual([cwd]);
    expect(optionsOf(words, '--volume').sort()).toEqual([cwd, join(folder, 'reports')].map(mount).sort());
    expect(optionsOf(words, '--user')).toEqual([`${process.getuid?.()}:${process.getgid?.()}`]);
    expect(optionsOf(words, '--cap-add')).toEqual(process.getuid?.() === 0 ? ['DAC_OVERRIDE'] : []);
    expect(given(words).slice(0, 6)).toEqual(['run', 'own.yaml', '--rate', '20', '--json', 'out.json']);
    expect(given(words)[7]).toMatch(new RegExp(`^${folder}/reports/\\d{8}-\\d{6}\\.html$`));
  });

  it('has the number of its user in an engine without root', async () => {
    const { words } = await stack(['load'], { SECURITY: 'name=rootless' });
    expect(optionsOf(words, '--user')).toEqual(['0:0']);
  });

  it.each([
    ['a pattern above', '../own.yaml', '..'],
    ['a pattern elsewhere', '/FOLDER/else where/own.yaml', 'else where'],
    ['--json FILE', '--json=../else where/out.json', 'else where'],
    ['-jFILE', '-j../else where/out.json', 'else where'],
    ['--html=FILE', '--html=/FOLDER/else where/page.html', 'else where'],
  ])('sees the folder of %s, under the name that the user gave it', async (_name, template, where) => {
    await mkdir(join(folder, 'else where'));
    const word = template.replace('/FOLDER', folder);
    const { code, words } = await stack(['load', word]);
    expect(code).toBe(0);
    expect(optionsOf(words, '--volume')).toContain(mount(join(folder, where === '..' ? '' : where)));
    expect(given(words)[1]).toBe(word);
  });

  it('sees where a link leads', async () => {
    await mkdir(join(folder, 'target'));
    await writeFile(join(folder, 'target/own.yaml'), '');
    await symlink(join(folder, 'target/own.yaml'), join(cwd, 'link.yaml'));
    const { words } = await stack(['load', 'link.yaml']);
    expect(optionsOf(words, '--volume')).toContain(mount(join(folder, 'target')));
  });

  it.each([
    ['/etc/passwd'],
    ['--json=/dev/null'],
    ['--path=/products'],
    ['http://api:5001/products'],
    ['/usr/bin/x.yaml'],
    ['p99<50ms'],
    ['--'],
    [''],
  ])('keeps its own system files, whatever is given: %j', async (word) => {
    const { words } = await stack(['load', word]);
    expect(optionsOf(words, '--volume')).toHaveLength(2);
    expect(given(words)[1]).toBe(word);
  });

  it('is not started for a folder that no container can be given', async () => {
    await mkdir(join(folder, 'co:lon'));
    expect(await stack(['load', '../co:lon/own.yaml'])).toEqual({
      code: 2,
      err: `error: expected a folder without a colon in its name, which no container can be given, got "${folder}/co:lon".\n`,
      words: [],
    });
  });

  it.each([1, 2, 3, 130])('that ends with status %i names no page to look at', async (status) => {
    expect(await stack(['load'], { STATUS: String(status) })).toMatchObject({ code: status, err: '' });
  });
});

describe('query', () => {
  it.each(['up', '-up', '--help', 'a / b', 'up{job!="api"}'])('asks for %s as it is', async (query) => {
    const { code, words } = await stack(['query', query]);
    expect(code).toBe(0);
    expect(given(words)).toEqual(['query', '--prometheus', 'http://prometheus:9090', '--', query]);
  });

  it.each([
    [[], 'expected a query in PromQL, got nothing.'],
    [[''], 'expected a query in PromQL, got nothing.'],
    [['a', 'b'], 'expected one query in PromQL, got 2 words: a b'],
  ])('refuses %j with an example', async (words, message) => {
    const { code, err } = await stack(['query', ...words]);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(`error: ${message}\n`) });
    expect(err).toContain("query Q='sum(http_requests_total)'".replace(/Q=/, words.length === 2 ? '' : 'Q='));
  });
});
