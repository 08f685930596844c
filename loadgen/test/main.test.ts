/** The process itself: what only it can show, which is signals, streams and the exit code. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { reportSchema } from '../src/report/report.ts';
import { startFakeStack } from './fake-stack.ts';
import { closedPort, serveHttp, type TestServer, until } from './servers.ts';

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

const main = new URL('../src/main.ts', import.meta.url).pathname;

function start(args: readonly string[]) {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    output.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output.err += chunk;
  });
  const ended = once(child, 'close').then(([code]) => ({ code, ...output }));
  return { child, ended };
}

it('drains at the first Ctrl-C, shows what was done and exits with 130', async () => {
  let requests = 0;
  const server = await serveHttp((_request, response) => {
    requests++;
    setTimeout(() => response.end('ok'), 20);
  });
  servers.push(server);
  const { child, ended } = start(['run', 'steady', '--target', server.url]);
  await until('the run is under way', () => requests > 5);
  child.kill('SIGINT');
  const { code, out, err } = await ended;
  expect(code).toBe(130);
  expect(out).toMatch(new RegExp(`^steady: ${requests} requests sent in `));
  expect(out).toContain('interrupted: the rest was not sent');
  expect(err).toBe('stopping: waiting for what is in flight (again to stop at once)\n');
}, 20_000);

it('exits at once at the second Ctrl-C', async () => {
  let requests = 0;
  const server = await serveHttp(() => requests++);
  servers.push(server);
  const { child, ended } = start(['run', 'hundred', '--target', server.url]);
  await until('requests wait for an answer', () => requests === 10);
  child.kill('SIGINT');
  await until('the signal was taken', async () => {
    child.kill('SIGINT');
    return child.exitCode !== null;
  });
  expect(await ended).toMatchObject({ code: 130, out: '' });
}, 20_000);

it('exits with the code of the contract and one line of cause', async () => {
  const url = `http://127.0.0.1:${await closedPort()}`;
  const { code, out, err } = await start(['run', '--target', url, '--wait', '50ms', '--quiet']).ended;
  expect([code, out]).toEqual([3, '']);
  expect(err).toMatch(
    /^loadgen: http:\/\/127.* did not accept a connection within 0.05 s: connect ECONNREFUSED [\d.:]+\n$/,
  );
}, 20_000);

it.each([
  ['1 where standard output takes nothing', ['list'], 'stdout', 1],
  ['its own where standard error takes nothing', ['attack'], 'stderr', 2],
])(
  'exits with %s, without a stack trace',
  async (_name, args, full, expected) => {
    const file = await open('/dev/full', 'w');
    const isFull = (stream: string) => (stream === full ? file.fd : 'pipe');
    const child = spawn(process.execPath, [main, ...args], {
      stdio: ['ignore', isFull('stdout'), isFull('stderr')],
    });
    let err = '';
    child.stderr?.on('data', (chunk) => {
      err += chunk;
    });
    const [code] = await once(child, 'close');
    await file.close();
    expect(code).toBe(expected);
    if (full === 'stdout') expect(err).toMatch(/^loadgen: cannot write to standard output: ENOSPC.*\n$/);
  },
  20_000,
);

it('prints no password of a mistaken flag', async () => {
  const { code, err } = await start(['run', '--promehteus=http://ann:s3cret@host', '--quiet']).ended;
  expect([code, err]).toEqual([2, expect.stringContaining("unknown option '--promehteus=http://***@host'")]);
}, 20_000);

/** The processes that a process has started. */
async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
}

/** Gone, or a zombie that only its new parent has not asked for yet. */
async function isTerminated(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
  return text.includes(') Z');
}

describe('--workers', () => {
  it('sends from several processes what one would send, and verifies the sum', async () => {
    const stack = await startFakeStack();
    servers.push(stack.target, stack.observer);
    const flags = ['--target', stack.target.url, '--prometheus', stack.observer.url, '--json', '-'];
    const { code, out, err } = await start(['run', 'lab', '--workers', '3', '--quiet', ...flags]).ended;
    expect(err).toBe('');
    const { phases, verification, shard, lostShards } = reportSchema.parse(JSON.parse(out));
    expect(phases.map(({ sent, plan }) => [sent, plan.connections])).toEqual([
      [100, 10],
      [33, 10],
    ]);
    expect([verification?.verdict, shard, lostShards, code]).toEqual([
      'verified',
      { index: 1, of: 1 },
      [],
      0,
    ]);
  }, 30_000);

  it('names a worker that is killed, and ends with 1', async () => {
    let requests = 0;
    const server = await serveHttp((_request, response) => {
      requests++;
      response.end('ok');
    });
    servers.push(server);
    const args = [
      'run',
      'steady',
      '--rate',
      '200',
      '--duration',
      '3s',
      '--workers',
      '2',
      '--target',
      server.url,
    ];
    const { child, ended } = start(args);
    await until('both send', () => requests > 60);
    const [victim] = await childrenOf(child.pid ?? 0);
    process.kill(victim ?? 0, 'SIGKILL');
    const { code, out } = await ended;
    expect(out).toMatch(
      /shard [12]\/2 was lost: its process ended with SIGKILL: it is in none of these numbers/,
    );
    expect(out).toContain('steady: 300 requests sent');
    expect(code).toBe(1);
  }, 30_000);

  it('ends with 1, and without the others, where one is killed before it is ready', async () => {
    const server = await serveHttp((_request, response) => response.end('ok'));
    servers.push(server);
    const { child, ended } = start(['run', 'steady', '--workers', '2', '--quiet', '--target', server.url]);
    let workers: number[] = [];
    await until('both are there', async () => {
      workers = await childrenOf(child.pid ?? 0);
      return workers.length === 2;
    });
    process.kill(workers[0] ?? 0, 'SIGKILL');
    const { code, err } = await ended;
    expect([code, err]).toEqual([1, 'loadgen: shard 1/2 was lost: its process ended with SIGKILL\n']);
    await until('the other is gone', () => isTerminated(workers[1] ?? 0));
  }, 30_000);

  it('leaves no worker behind where it is killed itself', async () => {
    let requests = 0;
    const server = await serveHttp(() => requests++);
    servers.push(server);
    const args = ['run', 'hundred', '--workers', '2', '--timeout', '10m', '--target', server.url];
    const { child, ended } = start(args);
    await until('requests wait for an answer', () => requests === 10);
    const workers = await childrenOf(child.pid ?? 0);
    child.kill('SIGKILL');
    await ended;
    await until('all are gone', async () => (await Promise.all(workers.map(isTerminated))).every(Boolean));
  }, 30_000);

  it('drains all of them at Ctrl-C', async () => {
    let requests = 0;
    const server = await serveHttp((_request, response) => {
      requests++;
      setTimeout(() => response.end('ok'), 20);
    });
    servers.push(server);
    const { child, ended } = start(['run', 'steady', '--workers', '2', '--target', server.url]);
    await until('the run is under way', () => requests > 10);
    child.kill('SIGINT');
    const { code, out } = await ended;
    expect(code).toBe(130);
    expect(out).toMatch(new RegExp(`^steady: ${requests} requests sent in `));
  }, 30_000);
});
