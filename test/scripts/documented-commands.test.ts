/** Every `make` command on a machine on which no engine and no cluster answers. That the documents name no others is checked with them. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';

const repository = fileURLToPath(new URL('../../', import.meta.url));
/** They work on the development dependencies, and are what runs this test, or next to it. */
const NEED_NPM = [
  'audit',
  'bench',
  'format',
  'generate',
  'lint',
  'sbom',
  'test',
  'test-faults',
  'test-unit',
  'types',
];
/** What a shell, make or a runtime says where a script is wrong. */
const RAW =
  /not found|syntax error|arithmetic|parameter not set|unbound|bad substitution|No such file|\bat \S+:\d+|Traceback/i;

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'documented-'));
  const docker = '#!/bin/sh\necho "Cannot connect to the Docker daemon at unix:///x.sock." >&2\nexit 1\n';
  await writeFile(join(folder, 'docker'), docker, { mode: 0o755 });
});
afterAll(() => rm(folder, { recursive: true }));

function make(words: string[]): Promise<{ code: number; err: string }> {
  const env = {
    PATH: `${folder}:/usr/local/bin:/usr/bin:/bin`,
    HOME: folder,
    REPORTS_FOLDER: join(folder, 'reports'),
    INSTALL_ENGINE: 'no',
    KUBECTL: 'no-such-program',
  };
  return new Promise((resolve) => {
    execFile('make', words, { env, cwd: repository, timeout: 30_000 }, (error, _out, err) =>
      resolve({ code: Number(error?.code ?? 0), err }),
    );
  });
}

const makefile = await readFile(join(repository, 'Makefile'), 'utf8');
const targets = [...makefile.matchAll(/^([a-z0-9-]+): ##/gm)].map(([, name = '']) => name);

it.each(targets.filter((name) => !NEED_NPM.includes(name) && name !== 'help'))(
  'make %s says in words of its own what is missing',
  async (target) => {
    const { code, err } = await make([target, 'Q=up', `FILE=${join(folder, 'data.tgz')}`]);
    expect(err).not.toMatch(RAW);
    // What has nothing to stop may be content with that.
    if (code === 0) expect(err).toMatch(/nothing to stop/);
    else expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(/error: .+\n/) });
  },
);

it.each([
  [['query'], "make query Q='sum(http_requests_total)'"],
  [['backup'], 'make backup FILE=prometheus.tgz'],
  [['restore'], 'make restore FILE=prometheus.tgz'],
])('make %j without its value shows an example', async (words, example) => {
  const { code, err } = await make(words);
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(example) });
});
