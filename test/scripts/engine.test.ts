/** An engine that does not answer, one that refuses the user, and one chosen by name: three different ends. And whose data it keeps. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { repositoryRoot } from '../support/repository.ts';
import { useSandbox } from './sandbox.ts';

const COMMANDS = [
  'stack up',
  'stack load',
  'stack verify',
  'stack query up',
  'stack logs',
  'stack down',
  'stack clean',
  'lab',
  'rolling',
  'backup backup /tmp/never-written.tgz',
  'backup restore /tmp/never-read.tgz',
  'tutorial',
];
const UNREACHABLE = 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is it running?';
const REFUSED = 'Got permission denied while trying to connect to the Docker daemon socket';

const box = useSandbox();

/** Runs a script where `docker` prints this, and where whatever is installed or started leaves a note. */
async function run(command: string, answer: string, variables: Record<string, string> = {}) {
  const note = `echo "$0 $*" >>'${box.path('started')}'`;
  await box.program(
    'docker',
    `case "$1" in version) echo '${answer}' >&2; exit 1 ;; context) echo "\${CONTEXT:-default}" ;; *) ${note} ;; esac`,
  );
  for (const name of ['dockerd', 'apt-get', 'systemctl']) await box.program(name, note);
  const [script = '', ...words] = command.split(' ');
  const { code, err } = await box.run(`scripts/${script}.sh`, words, variables);
  expect(await box.read('started')).toBe('');
  return { code, err };
}

describe.each(COMMANDS)('%s', (command) => {
  it('ends with status 5 where no engine answers, in the words of the client', async () => {
    expect(await run(command, UNREACHABLE)).toEqual({
      code: 5,
      err: expect.stringContaining(`error: no container engine answers.\n       ${UNREACHABLE}\n`),
    });
  });

  it('ends with status 6 where the engine refuses the user', async () => {
    expect(await run(command, REFUSED, { INSTALL_ENGINE: 'yes' })).toEqual({
      code: 6,
      err: expect.stringContaining(`error: this user may not use the container engine.\n       ${REFUSED}\n`),
    });
  });
});

it.each([
  ['at DOCKER_HOST=tcp://elsewhere:2375', { DOCKER_HOST: 'tcp://elsewhere:2375' }],
  ['in DOCKER_CONTEXT=nope', { DOCKER_CONTEXT: 'nope' }],
  ['in the current Docker context "remote"', { CONTEXT: 'remote' }],
])('no engine is installed or started where the one %s does not answer', async (chosen, variables) => {
  for (const command of ['stack up', 'tutorial']) {
    expect(await run(command, UNREACHABLE, { INSTALL_ENGINE: 'yes', ...variables })).toEqual({
      code: 5,
      err: expect.stringContaining(`error: no container engine answers ${chosen}.\n`),
    });
  }
});

it('a folder that this user may not see is not gone, so its data stay with it', async () => {
  await mkdir(box.path('home/clone'), { recursive: true });
  await mkdir(box.path('closed'), { mode: 0o000 });
  await chmod(box.folder, 0o755);
  // Root sees everything.
  const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const script = `${await readFile(`${repositoryRoot}/scripts/project.sh`, 'utf8')}\nis_gone "$0"`;
  const isGone = (path: string) =>
    new Promise((resolve) => {
      execFile('sh', ['-c', script, box.path(path)], user, (error) => resolve(error === null));
    });
  const paths = ['home/clone', 'home/other', 'other/clone', 'closed/clone', 'closed/deep/clone'];
  expect(await Promise.all(paths.map(isGone))).toEqual([false, true, true, false, false]);
});
