/** The process itself: what only it can show, which is signals, streams and the exit code. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { reportSchema } from '../src/report/report.ts';
import { startFakeStack } from './fake-stack.ts';
import { closedPort, serveHttp, type TestServer, until } from './servers.ts';

jest.setTimeout(30_000);
const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

const main = new URL('../src/main.ts', import.meta.url).pathname;

function start(words: string) {
  const child = spawn(process.execPath, [main, ...words.split(' ')], { stdio: ['ignore', 'pipe', 'pipe'] });
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

/** Starts a command against a server that counts its requests. @param answer none by default */
async function startAgainst(
  words: string,
  answer: (...args: Parameters<RequestListener>) => void = () => {},
) {
  const counted = { requests: 0 };
  const server = await serveHttp((request, response) => {
    counted.requests++;
    answer(request, response);
  });
  servers.push(server);
  return { counted, ...start(`${words} --target ${server.url}`) };
}

const slowly: RequestListener = (_request, response) => void setTimeout(() => response.end('ok'), 20);

it.each(['', ' --workers 2'])(
  'drains at the first Ctrl-C, shows what was done and exits with 130: run steady%s',
  async (workers) => {
    const { counted, child, ended } = await startAgainst(`run steady${workers}`, slowly);
    await until('the run is under way', () => counted.requests > 10);
    child.kill('SIGINT');
    const { code, out, err } = await ended;
    expect(code).toBe(130);
    expect(out).toMatch(new RegExp(`^steady: ${counted.requests} requests sent in `));
    expect(out).toContain('interrupted: the rest was not sent');
    expect(err).toBe('stopping: waiting for what is in flight (again to stop at once)\n');
  },
);

it('exits at once at the second Ctrl-C', async () => {
  const { counted, child, ended } = await startAgainst('run hundred');
  await until('requests wait for an answer', () => counted.requests === 10);
  child.kill('SIGINT');
  await until('the signal was taken', async () => {
    child.kill('SIGINT');
    return child.exitCode !== null;
  });
  expect(await ended).toMatchObject({ code: 130, out: '' });
});

it('exits with the code of the contract and one line of cause', async () => {
  const url = `http://127.0.0.1:${await closedPort()}`;
  const { code, out, err } = await start(`run --target ${url} --wait 50ms --quiet`).ended;
  expect([code, out]).toEqual([3, '']);
  expect(err).toMatch(
    /^loadgen: http:\/\/127.* did not accept a connection within 0.05 s: connect ECONNREFUSED [\d.:]+\n$/,
  );
});

it.each([
  ['1 where standard output takes nothing', 'list', 'stdout', 1],
  ['its own where standard error takes nothing', 'attack', 'stderr', 2],
])('exits with %s, without a stack trace', async (_name, command, full, expected) => {
  const file = await open('/dev/full', 'w');
  const isFull = (stream: string) => (stream === full ? file.fd : 'pipe');
  const stdio = ['ignore', isFull('stdout'), isFull('stderr')] as const;
  const child = spawn(process.execPath, [main, command], { stdio: [...stdio] });
  let err = '';
  child.stderr?.on('data', (chunk) => {
    err += chunk;
  });
  const [code] = await once(child, 'close');
  await file.close();
  expect(code).toBe(expected);
  if (full === 'stdout') expect(err).toMatch(/^loadgen: cannot write to standard output: ENOSPC.*\n$/);
});

it('prints no password of a mistaken flag', async () => {
  const { code, err } = await start('run --promehteus=http://ann:s3cret@host --quiet').ended;
  expect([code, err]).toEqual([2, expect.stringContaining("unknown option '--promehteus=http://***@host'")]);
});

/** The processes that a process has started. */
async function childrenOf(pid = 0): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
}

/** Away, or a zombie that only its new parent has not asked for yet. */
async function isTerminated(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
  return text.includes(') Z');
}

describe('--workers', () => {
  it('sends from several processes what one would send, and verifies the sum', async () => {
    const { target, observer } = await startFakeStack();
    servers.push(target, observer);
    const flags = `--target ${target.url} --prometheus ${observer.url} --json - --quiet`;
    const { code, out, err } = await start(`run lab --workers 3 ${flags}`).ended;
    expect([code, err]).toEqual([0, '']);
    expect(reportSchema.parse(JSON.parse(out))).toMatchObject({
      phases: [
        { sent: 100, plan: { connections: 10 } },
        { sent: 33, plan: { connections: 10 } },
      ],
      verification: { verdict: 'verified' },
      shard: { index: 1, of: 1 },
      lostShards: [],
    });
  });

  it('names a worker that is killed, and ends with 1', async () => {
    const words = 'run steady --rate 200 --duration 3s --workers 2';
    const { counted, child, ended } = await startAgainst(words, (_, response) => response.end('ok'));
    await until('both send', () => counted.requests > 60);
    const [victim] = await childrenOf(child.pid);
    process.kill(victim ?? 0, 'SIGKILL');
    const { code, out } = await ended;
    expect(out).toMatch(
      /shard [12]\/2 was lost: its process ended with SIGKILL: it is in none of these numbers/,
    );
    expect(out).toContain('steady: 300 requests sent');
    expect(code).toBe(1);
  });

  it('ends with 1, and without the others, where one is killed before it is ready', async () => {
    const { child, ended } = await startAgainst('run steady --workers 2 --quiet');
    let workers: number[] = [];
    await until('both are there', async () => {
      workers = await childrenOf(child.pid);
      return workers.length === 2;
    });
    process.kill(workers[0] ?? 0, 'SIGKILL');
    const { code, err } = await ended;
    expect([code, err]).toEqual([1, 'loadgen: shard 1/2 was lost: its process ended with SIGKILL\n']);
    await until('the other has terminated', () => isTerminated(workers[1] ?? 0));
  });

  it('leaves no worker behind where it is killed itself', async () => {
    const { counted, child, ended } = await startAgainst('run hundred --workers 2 --timeout 10m');
    await until('requests wait for an answer', () => counted.requests === 10);
    const workers = await childrenOf(child.pid);
    child.kill('SIGKILL');
    await ended;
    const areTerminated = async () => (await Promise.all(workers.map(isTerminated))).every(Boolean);
    await until('all have terminated', areTerminated);
  });
});
