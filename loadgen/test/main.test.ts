/** The process: signals, streams and the exit code. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { freePort } from '../../test/support/free-port.ts';
import { until } from '../../test/support/until.ts';
import { reportSchema } from '../src/report/report.ts';
import { startFakeStack } from './fake-stack.ts';
import { serveHttp, stopServers } from './servers.ts';

afterEach(stopServers);

type Output = 'pipe' | number;

function start(
  args: readonly string[],
  [stdout, stderr]: [Output, Output] = ['pipe', 'pipe'],
  environment: NodeJS.ProcessEnv = {},
) {
  const main = new URL('../src/main.ts', import.meta.url).pathname;
  const env = { ...process.env, ...environment };
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', stdout, stderr] });
  const outputs = [child.stdout, child.stderr].map((stream) => (stream === null ? '' : text(stream)));
  const ended = once(child, 'close').then(async ([code]) => {
    const [out = '', err = ''] = await Promise.all(outputs);
    return { code, out, err };
  });
  return { child, ended };
}

/** A server that counts requests, and responds after a delay, or never. */
async function serveCounting(answerMs?: number) {
  const seen = { requests: 0 };
  const { url } = await serveHttp((_request, response) => {
    seen.requests++;
    if (answerMs !== undefined) setTimeout(() => response.end('ok'), answerMs);
  });
  return { seen, url };
}

describe('Ctrl-C', () => {
  it.each([[[]], [['--workers', '2']]])('drains, prints the summary, exits with 130: %j', async (flags) => {
    const { seen, url } = await serveCounting(20);
    const { child, ended } = start(['run', 'steady', '--target', url, ...flags]);
    await until('the run is under way', () => seen.requests > 10);
    child.kill('SIGINT');
    const { code, out, err } = await ended;
    expect(code).toBe(130);
    expect(out).toMatch(new RegExp(`^steady: ${seen.requests} requests sent in `));
    expect(out).toContain('interrupted: the remaining requests were not sent');
    // Every five seconds there is a line of progress.
    expect(err.replaceAll(/^steady: \d+s, .*\n/gm, '')).toBe(
      'stopping: waiting for requests in flight (interrupt again to stop immediately)\n',
    );
  });

  it('exits immediately the second time', async () => {
    const { seen, url } = await serveCounting();
    const { child, ended } = start(['run', 'hundred', '--timeout', '10m', '--target', url]);
    await until('requests wait for an answer', () => seen.requests === 10);
    await until('a further signal ends it', () => {
      child.kill('SIGINT');
      return child.exitCode !== null;
    });
    expect(await ended).toMatchObject({ code: 130, out: '' });
  });
});

describe('the exit', () => {
  it('has the documented code and one line with the cause', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { code, out, err } = await start(['run', '--target', url, '--wait', '50ms', '--quiet']).ended;
    expect([code, out]).toEqual([3, '']);
    expect(err).toMatch(
      /^exact-load: http:\/\/127.* did not accept a connection within 0.05 s: connect ECONNREFUSED [\d.:]+\n$/,
    );
  });

  it('has code 1 and the cause if standard output fails, and the usual code if standard error fails', async () => {
    const file = await open('/dev/full', 'w');
    const { code, err } = await start(['list'], [file.fd, 'pipe']).ended;
    expect(code).toBe(1);
    expect(err).toMatch(/^exact-load: cannot write to standard output: ENOSPC.*\n$/);
    expect(await start(['attack'], ['pipe', file.fd]).ended).toMatchObject({ code: 2 });
    await file.close();
  });
});

/** The child processes of a process. */
async function childrenOf(pid = 0): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return children.split(' ').filter(Boolean).map(Number);
}

/** Whether the process has ended, or is a zombie that its new parent has not reaped yet. */
async function isTerminated(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
  return state.includes(') Z');
}

const HANGING =
  "if (process.argv[2] === 'worker') await new Promise((resolve) => setTimeout(resolve, 600_000));";
/** Workers that never get ready. */
const NEVER_READY = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(HANGING)}` };

describe('--workers', () => {
  it('sends from several processes the same requests as from one, and verifies the sum', async () => {
    const { toTarget, verified } = await startFakeStack();
    const flags = ['--workers', '3', '--quiet', '--json', '-'];
    const { code, out, err } = await start(['run', 'lab', ...flags, ...toTarget, ...verified]).ended;
    expect([code, err]).toEqual([0, '']);
    const { phases, ...report } = reportSchema.parse(JSON.parse(out));
    expect(phases.map(({ sent, plan }) => [sent, plan.connections])).toEqual([
      [100, 10],
      [33, 10],
    ]);
    const shard = { index: 1, of: 1 };
    expect(report).toMatchObject({ verification: { verdict: 'verified' }, shard, lostShards: [] });
  });

  it('reports a killed worker, and ends with 1', async () => {
    // Until the worker is killed, no request is answered, so that no worker ends.
    let requests = 0;
    const killed = Promise.withResolvers<void>();
    const { url } = await serveHttp((_request, response) => {
      requests++;
      void killed.promise.then(() => response.end('ok'));
    });
    const flags = ['--rate', '200', '--duration', '1s', '--workers', '2', '-c', '1000', '--timeout', '10m'];
    const { child, ended } = start(['run', 'steady', ...flags, '--target', url]);
    await until('both send', () => requests > 100);
    const [victim = 0] = await childrenOf(child.pid);
    process.kill(victim, 'SIGKILL');
    killed.resolve();
    const { code, out } = await ended;
    expect(out).toMatch(
      /shard [12]\/2 was lost: its process ended with SIGKILL: its requests are missing from these numbers/,
    );
    expect(out).toContain('steady: 100 requests sent');
    expect(code).toBe(1);
  });

  it('ends with 1 and stops the others if one is killed before it is ready', async () => {
    const { url } = await serveCounting(0);
    const flags = ['--workers', '2', '--quiet', '--target', url];
    const { child, ended } = start(['run', 'steady', ...flags], ['pipe', 'pipe'], NEVER_READY);
    let workers: number[] = [];
    await until('both are there', async () => {
      workers = await childrenOf(child.pid);
      return workers.length === 2;
    });
    const [victim = 0, other = 0] = workers;
    process.kill(victim, 'SIGKILL');
    const err = 'exact-load: shard 1/2 was lost: its process ended with SIGKILL\n';
    expect(await ended).toMatchObject({ code: 1, err });
    await until('the other is gone', () => isTerminated(other));
  });

  it('leaves no worker behind when it is killed itself', async () => {
    const { seen, url } = await serveCounting();
    const flags = ['--workers', '2', '--timeout', '10m', '--target', url];
    const { child, ended } = start(['run', 'hundred', ...flags]);
    await until('requests wait for an answer', () => seen.requests === 10);
    const workers = await childrenOf(child.pid);
    child.kill('SIGKILL');
    await ended;
    await until('all are gone', async () => (await Promise.all(workers.map(isTerminated))).every(Boolean));
  });
});
