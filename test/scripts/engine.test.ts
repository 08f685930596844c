/**
 * How scripts and `make` commands react to an engine that does not answer, one that refuses the user, and one chosen by name; and which
 * folder owns the data in an engine.
 */
import { execFile } from 'node:child_process';
import { chmod, mkdir } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { read } from '../support/repository.ts';
import { useSandbox } from './sandbox.ts';

const COMMANDS = [
  ...[
    'stack up',
    'stack load',
    'stack verify',
    'stack query up',
    'stack logs',
    'stack down',
    'stack clean',
    'lab',
  ],
  ...['rolling', 'backup backup /tmp/never-written.tgz', 'backup restore /tmp/never-read.tgz', 'tutorial'],
];
const UNREACHABLE = 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is it running?';
const REFUSED = 'Got permission denied while trying to connect to the Docker daemon socket';

const box = useSandbox();

/** Runs a program with a `docker` that prints this, and records everything that is installed or started. */
async function run(program: string, words: string[], answer: string, variables: Record<string, string> = {}) {
  const note = `echo "$0 $*" >>'${box.path('started')}'`;
  await box.program(
    'docker',
    `case "$1" in version) echo '${answer}' >&2; exit 1 ;; context) echo "\${CONTEXT:-default}" ;; *) ${note} ;; esac`,
  );
  for (const name of ['dockerd', 'apt-get', 'systemctl']) await box.program(name, note);
  const { code, err } = await box.run(program, words, variables);
  expect(await box.read('started')).toBe('');
  return { code, err };
}
const script = (command: string, ...given: [answer: string, variables?: Record<string, string>]) => {
  const [name = '', ...words] = command.split(' ');
  return run(`scripts/${name}.sh`, words, ...given);
};
const make = (...words: string[]) => run('make', words, UNREACHABLE, { KUBECTL: 'no-such-program' });

describe.each(COMMANDS)('%s', (command) => {
  it('ends with status 5 if no engine answers, and with 6 if it refuses the user, and shows the message of the client', async () => {
    expect(await script(command, UNREACHABLE)).toEqual({
      code: 5,
      err: expect.stringContaining(`error: no container engine answers.\n       ${UNREACHABLE}\n`),
    });
    expect(await script(command, REFUSED, { INSTALL_ENGINE: 'yes' })).toEqual({
      code: 6,
      err: expect.stringContaining(`error: this user may not use the container engine.\n       ${REFUSED}\n`),
    });
  });
});

it.each([
  ['at DOCKER_HOST=tcp://elsewhere:2375', { DOCKER_HOST: 'tcp://elsewhere:2375' }],
  ['in DOCKER_CONTEXT=nope', { DOCKER_CONTEXT: 'nope' }],
  ['in the current Docker context "remote"', { CONTEXT: 'remote' }],
])('no engine is installed or started if the one %s does not answer', async (chosen, variables) => {
  const err = expect.stringContaining(`error: no container engine answers ${chosen}.\n`);
  for (const command of ['stack up', 'tutorial'])
    expect(await script(command, UNREACHABLE, { INSTALL_ENGINE: 'yes', ...variables })).toEqual({
      code: 5,
      err,
    });
});

/** Commands for development, which run this test, or are similar. */
const NEED_NPM = ['bench', 'lint', 'test', 'test-faults', 'test-unit'];
/** Messages of a shell, make or a runtime about mistakes in a script. */
const RAW =
  /not found|syntax error|arithmetic|parameter not set|unbound|bad substitution|No such file|\bat \S+:\d+|Traceback/i;
const targets = [...read('Makefile').matchAll(/^([a-z0-9-]+): ##/gm)].map(([, name = '']) => name);

it.each(targets.filter((name) => !NEED_NPM.includes(name) && name !== 'help'))(
  'make %s reports what is missing, without error messages of a shell, make or a runtime',
  async (target) => {
    const { code, err } = await make(target, 'Q=up', `FILE=${box.path('data.tgz')}`);
    expect(err).not.toMatch(RAW);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(/error: .+\n/) });
  },
);

it.each([
  ['query', "make query Q='sum(http_requests_total)'"],
  ['backup', 'make backup FILE=prometheus.tgz'],
  ['restore', 'make restore FILE=prometheus.tgz'],
])('make %s without a value shows an example', async (target, example) => {
  expect(await make(target)).toEqual({ code: 2, err: expect.stringContaining(example) });
});

it('a folder that the user cannot access is considered to exist, so its data is kept', async () => {
  await mkdir(box.path('home/clone'), { recursive: true });
  await mkdir(box.path('closed'), { mode: 0o000 });
  await chmod(box.folder, 0o755);
  // Root can access every folder.
  const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const isGone = (path: string) =>
    new Promise((resolve) => {
      const words = ['-c', `${read('scripts/project.sh')}\nis_gone "$0"`, box.path(path)];
      execFile('sh', words, user, (error) => resolve(error === null));
    });
  const paths = ['home/clone', 'home/other', 'other/clone', 'closed/clone', 'closed/deep/clone'];
  expect(await Promise.all(paths.map(isGone))).toEqual([false, true, true, false, false]);
});
