/** How the commands on a running stack start the generator's container, recorded by a fake docker. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { useSandbox } from './sandbox.ts';

const box = useSandbox();
/** The user's current folder. */
let cwd = '';
beforeEach(async () => {
  cwd = box.path('my folder');
  await mkdir(cwd);
  await mkdir(box.path('else where'));
  await box.program(
    'docker',
    `case $* in
  version*) echo 29.0.0 ;;
  info*) echo "[name=seccomp $SECURITY]" ;;
  *' ps --quiet '*) echo 0123456789ab ;;
  *' run '*) printf '%s\\0' "$@" >'${box.path('run')}'; exit "\${STATUS:-0}" ;;
esac`,
  );
});

/** Includes the words of `docker compose run`, if it was called. */
async function stack(words: string[], variables: Record<string, string> = {}) {
  const { code, err } = await box.run('scripts/stack.sh', words, variables, cwd);
  const called = (await box.read('run')).split('\0').slice(0, -1);
  return { code, err, words: called.slice(called.indexOf('run')) };
}

const optionsOf = (words: string[], option: string) =>
  words.flatMap((word, i) => (word === option ? [words[i + 1]] : []));
/** The arguments of the generator itself. */
const given = (words: string[]) => words.slice(words.indexOf('loadgen') + 1);
const mount = (path: string) => `${path}:${path}`;

describe('the generator of make load', () => {
  it('works in the current folder as the current user, and writes its page to the reports', async () => {
    const { code, words } = await stack(['load', 'own.yaml', '--rate', '20', '--json', 'out.json']);
    expect(code).toBe(0);
    expect(optionsOf(words, '--workdir')).toEqual([cwd]);
    expect(optionsOf(words, '--volume').sort()).toEqual([cwd, box.path('reports')].map(mount).sort());
    expect(optionsOf(words, '--user')).toEqual([`${process.getuid?.()}:${process.getgid?.()}`]);
    expect(optionsOf(words, '--cap-add')).toEqual(process.getuid?.() === 0 ? ['DAC_OVERRIDE'] : []);
    expect(given(words).slice(0, 6)).toEqual(['run', 'own.yaml', '--rate', '20', '--json', 'out.json']);
    expect(given(words)[7]).toMatch(new RegExp(`^${box.folder}/reports/\\d{8}-\\d{6}\\.html$`));
  });

  it('runs as user 0 in a rootless engine', async () => {
    const { words } = await stack(['load'], { SECURITY: 'name=rootless' });
    expect(optionsOf(words, '--user')).toEqual(['0:0']);
  });

  it.each([
    ['a pattern above', '../own.yaml', ''],
    ['a pattern elsewhere', '/FOLDER/else where/own.yaml', 'else where'],
    ['--json FILE', '--json=../else where/out.json', 'else where'],
    ['-jFILE', '-j../else where/out.json', 'else where'],
    ['--html=FILE', '--html=/FOLDER/else where/page.html', 'else where'],
  ])('mounts the folder of %s under its own name', async (_name, template, where) => {
    const word = template.replace('/FOLDER', box.folder);
    const { code, words } = await stack(['load', word]);
    expect(code).toBe(0);
    expect(optionsOf(words, '--volume')).toContain(mount(box.path(where)));
    expect(given(words)[1]).toBe(word);
  });

  it('mounts the target of a link', async () => {
    await writeFile(box.path('else where/own.yaml'), '');
    await symlink(box.path('else where/own.yaml'), `${cwd}/link.yaml`);
    const { words } = await stack(['load', 'link.yaml']);
    expect(optionsOf(words, '--volume')).toContain(mount(box.path('else where')));
  });

  it.each([
    '/etc/passwd',
    '--json=/dev/null',
    'http://api:5001/products',
    '/usr/bin/x.yaml',
    'p99<50ms',
    '--',
    '',
  ])('keeps its own system files with any argument: %j', async (word) => {
    const { words } = await stack(['load', word]);
    expect(optionsOf(words, '--volume')).toHaveLength(2);
    expect(given(words)[1]).toBe(word);
  });

  it('is not started for a folder that cannot be mounted', async () => {
    await mkdir(box.path('co:lon'));
    expect(await stack(['load', '../co:lon/own.yaml'])).toEqual({
      code: 2,
      err: `error: expected a folder without a colon in its name, because containers cannot mount it, got "${box.path('co:lon')}".\n`,
      words: [],
    });
  });

  it.each([1, 2, 3, 130])('prints no page if it ends with status %i', async (status) => {
    expect(await stack(['load'], { STATUS: String(status) })).toMatchObject({ code: status, err: '' });
  });
});

describe('query', () => {
  it.each(['up', '-up', '--help', 'a / b', 'up{job!="api"}'])('passes on %s unchanged', async (query) => {
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
    expect(err).toMatch(/query (Q=)?'sum\(http_requests_total\)'/);
  });
});

describe('up and its siblings', () => {
  it.each([
    [
      'up',
      { REPORTS_FOLDER: '/proc/reports' },
      1,
      'error: the folder /proc/reports, for reports of runs, is not writable',
    ],
    ['up', { API_REPLICAS: 'two' }, 2, 'API_REPLICAS: expected a whole number from 1 to 65535, got "two"'],
    ['upp', {}, 2, 'up | load'],
  ])('refuse %s with %j, before anything starts', async (command, variables, code, message) => {
    const refused = await stack([command], variables);
    expect(refused).toEqual({ code, err: expect.stringContaining(message), words: [] });
    expect(refused.err).not.toContain('starting the services');
  });
});
