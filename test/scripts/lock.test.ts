/** One command at a time changes a stack; another one is refused and names it, and a command that was killed blocks none. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../support/until.ts';

const scripts = fileURLToPath(new URL('../../scripts/', import.meta.url));

let folder: string;
let started: ChildProcess[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'));
  started = [];
});

afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

interface Holder {
  child: ChildProcess;
  text(): string;
  ended: Promise<{ status: number | null; text: string }>;
}

/** Takes the lock as the scripts do, says so, and holds it until its input ends. */
function hold(command: string, environment: NodeJS.ProcessEnv = {}): Holder {
  const script = `root="${folder}"; . "${scripts}console.sh"; . "${scripts}lock.sh"
take_lock "${command}"; say taken; read -r line; say ended`;
  const child = spawn('/bin/sh', ['-c', script], {
    env: { ...process.env, COMPOSE_PROJECT_NAME: 'observability-stack', ...environment },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  started.push(child);
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const ended = once(child, 'close').then(([status]) => ({ status: status as number | null, text }));
  return { child, text: () => text, ended };
}

/** A PATH with the programs that macOS has too. */
function withoutFlock(): NodeJS.ProcessEnv {
  const path = join(folder, 'bin');
  mkdirSync(path);
  for (const program of ['perl', 'sed', 'mkdir'])
    symlinkSync(execFileSync('which', [program], { encoding: 'utf8' }).trim(), join(path, program));
  return { PATH: path };
}

describe.each([
  ['flock', () => ({})],
  ['perl', withoutFlock],
])('the lock of a stack, with %s', (_name, environmentOf) => {
  it('is held by one command at a time, and names the one that has it', async () => {
    const environment = environmentOf();
    const first = hold('make up', environment);
    await until(first.text, () => first.text().includes('taken'));
    const second = await hold('make down', environment).ended;
    expect(second).toEqual({
      status: 4,
      text: `error: another command is changing this stack: make up (process ${first.child.pid}).\n       Nothing was done. When it has ended, run this again.\n`,
    });
    first.child.stdin?.end();
    expect(await first.ended).toEqual({ status: 0, text: 'taken\nended\n' });
  });

  it('is free again when the command that has it is killed', async () => {
    const environment = environmentOf();
    const first = hold('make up', environment);
    await until(first.text, () => first.text().includes('taken'));
    first.child.kill('SIGKILL');
    await first.ended;
    const second = hold('make up', environment);
    second.child.stdin?.end();
    expect(await second.ended).toEqual({ status: 0, text: 'taken\nended\n' });
  });
});

it('another stack has a lock of its own', async () => {
  const first = hold('make up');
  await until(first.text, () => first.text().includes('taken'));
  const second = hold('make up', { COMPOSE_PROJECT_NAME: 'another' });
  second.child.stdin?.end();
  expect(await second.ended).toEqual({ status: 0, text: 'taken\nended\n' });
});

it('a command that is interrupted between two steps gives the lock back, with status 130', async () => {
  const first = hold('make up');
  await until(first.text, () => first.text().includes('taken'));
  first.child.kill('SIGINT');
  // The shell looks at its signals when what it waits for has ended.
  first.child.stdin?.end();
  expect(await first.ended).toMatchObject({
    status: 130,
    text: expect.stringContaining('error: interrupted.'),
  });
});

it('of many that come at once exactly one gets it at a time', async () => {
  const all = Array.from({ length: 12 }, (_, n) => hold(`make up ${n}`));
  for (const { child } of all) child.stdin?.end();
  const statuses = (await Promise.all(all.map(({ ended }) => ended))).map(({ status }) => status);
  expect(statuses.filter((status) => status === 0).length).toBeGreaterThan(0);
  expect(statuses.filter((status) => status !== 0 && status !== 4)).toEqual([]);
});

it('writes nothing to the temporary folder, whose names others can take first', async () => {
  const TMPDIR = join(folder, 'tmp');
  mkdirSync(TMPDIR);
  const first = hold('make up', { TMPDIR });
  first.child.stdin?.end();
  expect((await first.ended).status).toBe(0);
  expect(readdirSync(TMPDIR)).toEqual([]);
  expect(readdirSync(join(folder, '.cache'))).toEqual(['observability-stack.lock']);
});

it('is held in a checkout that is read-only too, without naming the other command', async () => {
  writeFileSync(join(folder, '.cache'), 'a file where the folder should be');
  writeFileSync(join(folder, 'docker-compose.yml'), '# The whole stack.\n');
  const first = hold('make up');
  await until(first.text, () => first.text().includes('taken'));
  expect(await hold('make down').ended).toEqual({
    status: 4,
    text: 'error: another command is changing this stack.\n       Nothing was done. When it has ended, run this again.\n',
  });
});
