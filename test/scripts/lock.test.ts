/** Only one command at a time changes a stack. Another command is refused and names the first; a killed command blocks no others. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { repositoryRoot } from '../support/repository.ts';
import { until } from '../support/until.ts';
import { useSandbox } from './sandbox.ts';

const box = useSandbox();
const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

/** Takes the lock like the scripts, prints that, and holds it until its input ends. */
function hold(command: string, environment: NodeJS.ProcessEnv = {}) {
  const script = `root="${box.folder}"; . "${repositoryRoot}/scripts/console.sh"; . "${repositoryRoot}/scripts/project.sh"
take_lock "${command}"; say taken; read -r line; say ended`;
  const env = { ...process.env, COMPOSE_PROJECT_NAME: 'observability-stack', ...environment };
  const child = spawn('/bin/sh', ['-c', script], { env, stdio: ['pipe', 'ignore', 'pipe'] });
  started.push(child);
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const ended = once(child, 'close').then(([status]) => ({ status: status as number | null, text }));
  const taken = () => until('the lock', () => text.includes('taken'));
  /** Lets it finish. */
  const release = () => {
    child.stdin.end();
    return ended;
  };
  return { child, taken, release };
}

/** A PATH with only programs that macOS has too. */
function withoutFlock(): NodeJS.ProcessEnv {
  const path = box.path('bin');
  mkdirSync(path);
  for (const program of ['perl', 'sed', 'mkdir', 'rm'])
    symlinkSync(execFileSync('which', [program], { encoding: 'utf8' }).trim(), `${path}/${program}`);
  return { PATH: path };
}

const hint = '       Nothing was changed. Run this again when it has finished.\n';
const whole = { status: 0, text: 'taken\nended\n' };

describe.each([
  ['flock', () => ({})],
  ['perl', withoutFlock],
])('the lock of a stack, with %s', (_name, environmentOf) => {
  it('is held by one command at a time, and the next command names it', async () => {
    const environment = environmentOf();
    const first = hold('make up', environment);
    await first.taken();
    expect(await hold('make down', environment).release()).toEqual({
      status: 4,
      text: `error: another command is changing this stack: make up (process ${first.child.pid}).\n${hint}`,
    });
    expect(await first.release()).toEqual(whole);
  });

  it('is released when its command is killed', async () => {
    const environment = environmentOf();
    const first = hold('make up', environment);
    await first.taken();
    first.child.kill('SIGKILL');
    await first.release();
    expect(await hold('make up', environment).release()).toEqual(whole);
  });
});

it('another stack has its own lock', async () => {
  await hold('make up').taken();
  expect(await hold('make up', { COMPOSE_PROJECT_NAME: 'another' }).release()).toEqual(whole);
});

it('a command that is interrupted between two steps releases the lock, with status 130', async () => {
  const first = hold('make up');
  await first.taken();
  first.child.kill('SIGINT');
  // The shell handles signals only after the command that it waits for has ended.
  expect(await first.release()).toEqual({ status: 130, text: 'taken\nerror: interrupted.\n' });
  expect(await hold('make up').release()).toEqual(whole);
});

it('writes nothing to the temporary folder, where other users could occupy the name', async () => {
  const TMPDIR = box.path('tmp');
  mkdirSync(TMPDIR);
  expect(await hold('make up', { TMPDIR }).release()).toEqual(whole);
  expect(readdirSync(TMPDIR)).toEqual([]);
  expect(readdirSync(box.path('.cache'))).toEqual(['observability-stack.lock']);
});

it('is held in a read-only checkout too, without naming the other command', async () => {
  writeFileSync(box.path('.cache'), 'a file where the folder should be');
  writeFileSync(box.path('docker-compose.yml'), '# The whole stack.\n');
  await hold('make up').taken();
  expect(await hold('make down').release()).toEqual({
    status: 4,
    text: `error: another command is changing this stack.\n${hint}`,
  });
});
