/** An engine that does not answer, one that refuses the user, and the one that was asked for by name: three different ends. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const scripts = fileURLToPath(new URL('../../scripts/', import.meta.url));

const COMMANDS = [
  ['stack', 'up'],
  ['stack', 'load'],
  ['stack', 'verify'],
  ['stack', 'query', 'up'],
  ['stack', 'logs'],
  ['stack', 'down'],
  ['stack', 'clean'],
  ['lab'],
  ['rolling'],
  ['backup', 'backup', '/tmp/never-written.tgz'],
  ['backup', 'restore', '/tmp/never-read.tgz'],
  ['tutorial', 'up'],
  ['tutorial', 'down'],
] as const;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'engine-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Runs a script where `docker` is a program that says this, and where nothing can be installed or started. */
async function run(
  words: readonly string[],
  says: string,
  environment: Record<string, string> = {},
): Promise<{ status: number; error: string; started: string }> {
  const programs = {
    docker: `case "$1" in version) echo '${says}' >&2; exit 1 ;; context) echo "\${CONTEXT:-default}" ;; *) echo "docker $*" >>${folder}/started ;; esac`,
    dockerd: `echo dockerd >>${folder}/started`,
    'apt-get': `echo apt-get >>${folder}/started`,
    systemctl: `echo systemctl >>${folder}/started`,
  };
  for (const [name, script] of Object.entries(programs))
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const [script, ...rest] = words;
  const env = { PATH: `${folder}:${process.env.PATH}`, TMPDIR: folder, ...environment };
  const [status, error] = await new Promise<[number, string]>((resolve) => {
    execFile(`${scripts}${script}.sh`, rest, { env }, (failure, _out, err) =>
      resolve([Number(failure?.code ?? 0), err]),
    );
  });
  const started = await readFile(join(folder, 'started'), 'utf8').catch(() => '');
  return { status, error, started };
}

const UNREACHABLE = 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is it running?';
const REFUSED = 'Got permission denied while trying to connect to the Docker daemon socket';

describe.each(COMMANDS.map((words) => [words.join(' '), words] as const))('%s', (_name, words) => {
  it('ends with status 5 where no engine answers, in the words of the client', async () => {
    const { status, error, started } = await run(words, UNREACHABLE, { INSTALL_ENGINE: 'no' });
    expect({ status, started }).toEqual({ status: 5, started: '' });
    expect(error).toContain(`error: no container engine answers.\n       ${UNREACHABLE}\n`);
  });

  it('ends with status 6 where the engine refuses the user', async () => {
    const { status, error, started } = await run(words, REFUSED);
    expect({ status, started }).toEqual({ status: 6, started: '' });
    expect(error).toContain(`error: this user may not use the container engine.\n       ${REFUSED}\n`);
  });
});

it.each([
  ['at DOCKER_HOST=tcp://elsewhere:2375', { DOCKER_HOST: 'tcp://elsewhere:2375' }],
  ['in DOCKER_CONTEXT=nope', { DOCKER_CONTEXT: 'nope' }],
  ['in the current Docker context "remote"', { CONTEXT: 'remote' }],
])('no engine is installed or started where the one %s does not answer', async (chosen, environment) => {
  for (const words of [
    ['stack', 'up'],
    ['tutorial', 'up'],
  ]) {
    const { status, error, started } = await run(words, UNREACHABLE, environment);
    expect({ status, started }).toEqual({ status: 5, started: '' });
    expect(error).toContain(`error: no container engine answers ${chosen}.\n`);
  }
});

it('a folder that this user may not see is not gone, so its data stay with it', async () => {
  await mkdir(join(folder, 'home', 'clone'), { recursive: true });
  await mkdir(join(folder, 'closed'), { mode: 0o000 });
  await chmod(folder, 0o755);
  const text = await readFile(`${scripts}engine.sh`, 'utf8');
  // Root sees everything.
  const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const isGone = (path: string) =>
    new Promise((resolve) => {
      execFile('sh', ['-c', `${text}\nis_gone "$1"`, 'sh', join(folder, path)], user, (error) =>
        resolve(error === null),
      );
    });
  const paths = ['home/clone', 'home/other', 'other/clone', 'closed/clone', 'closed/deep/clone'];
  expect(await Promise.all(paths.map(isGone))).toEqual([false, true, true, false, false]);
});
