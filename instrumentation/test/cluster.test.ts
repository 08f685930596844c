/** One exposition for all processes of a cluster. Its sums are right, however workers end. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { until } from '../../test/support/until.ts';
import { expectLossWithinBound, expectNothingLost, killWorkers } from './kill-workers.ts';
import { load, type Several, start, stopAll, untilOld, untilWorkers } from './several.ts';

afterEach(stopAll);

const execute = promisify(execFile);

const run = (env: Readonly<Record<string, string>> = {}) => start('cluster', env);

async function ask(several: Several, times: number, path = '/users/5'): Promise<Set<string>> {
  const answers = [];
  for (let i = 0; i < times; i++) answers.push(await several.get(path));
  return new Set(answers.map(({ worker }) => worker));
}

describe.each(['json', 'advanced'])('over IPC in the form "%s"', (serialization) => {
  it('adds up the current counts of all workers at each scrape', async () => {
    const several = await run({ SERIALIZATION: serialization, REPORT_INTERVAL_MS: '60000' });
    const before = await several.scrape();
    expect(before.users()).toBe(0);
    expect(before.value('http_errors_total', { code: '404' })).toBe(0);
    const workers = await ask(several, 10);
    expect(workers.size).toBe(2);
    await ask(several, 3, '/fail');
    await ask(several, 2, '/nowhere');
    const scrape = await several.scrape();
    expect(scrape.users()).toBe(10);
    expect(scrape.value('http_errors_total', { code: '503' })).toBe(3);
    expect(scrape.value('http_errors_total', { code: '404' })).toBe(2);
    expect(scrape.value('http_request_duration_seconds_count', { path: 'unmatched' })).toBe(2);
    expect(scrape.value('inprogress_requests')).toBe(0);
  });

  it('aggregates other metrics as the client library does', async () => {
    const several = await run({ SERIALIZATION: serialization });
    await ask(several, 4);
    const scrape = await several.scrape();
    expect(scrape.value('jobs_total', { kind: 'user' })).toBe(4);
    expect(scrape.value('sizes_bucket', { le: '10.0' })).toBe(4);
    expect(scrape.value('sizes_bucket', { le: '1.0' })).toBe(0);
    expect(scrape.value('sizes_sum')).toBe(20);
    expect(scrape.value('times_count')).toBe(4);
    expect(scrape.value('times', { quantile: '0.5' })).toBe(5);
    const level = (aggregator: string) => scrape.value(`level${aggregator}`);
    expect(['', '_sum', '_average', '_min', '_max', '_omit'].map(level)).toEqual([
      3,
      3,
      1.5,
      1,
      2,
      undefined,
    ]);
    expect([1, 2]).toContain(level('_first'));
  });
});

it('labels process metrics by worker, reuses worker numbers, and does not label the start time of the sums', async () => {
  const several = await run({ WORKERS: '2' });
  const numbers = async () => {
    const { text } = await untilWorkers(several, 2);
    return [...text.matchAll(/^process_resident_memory_bytes\{worker="(\w+)"\}/gm)]
      .map(([, one]) => one)
      .sort();
  };
  expect(await numbers()).toEqual(['1', '2', 'primary']);
  expect((await several.scrape()).text.match(/^process_start_time_seconds\b.* /gm)).toEqual([
    'process_start_time_seconds ',
  ]);
  for (let i = 0; i < 3; i++) {
    const [pid] = await several.command<number[]>('workers');
    await several.command('signal', [pid, 'SIGKILL']);
    await until('the worker to end', () => several.ended.includes(Number(pid)));
    await several.command('fork');
    expect(await numbers()).toEqual(['1', '2', 'primary']);
  }
});

describe('a worker that ends', () => {
  it.each<[string, string]>([
    ['SIGTERM without a listener', 'SIGTERM'],
    ['SIGINT', 'SIGINT'],
    ['worker.kill()', 'kill'],
  ])('loses no count at %s', async (_name, end) => {
    const several = await run({ WORKERS: '1', REPORT_INTERVAL_MS: '60000' });
    const [pid] = await several.command<number[]>('workers');
    await ask(several, 5);
    await (end === 'kill' ? several.command('kill') : several.command('signal', [pid, end]));
    const scrape = await several.untilEnded(pid, 0);
    expect(scrape.users()).toBe(5);
    expect(scrape.value('jobs_total')).toBe(5);
    expect(scrape.value('sizes_sum')).toBe(25);
    expect(scrape.value('http_server_workers')).toBe(0);
    expect(scrape.value('http_server_worker_lost_reports_total')).toBe(0);
    expect(scrape.value('level')).toBeUndefined();
  });

  it.each([
    ['from the beginning', {}],
    ['since its first request', { LISTENS_LATE: '1' }],
  ])('loses no count if its SIGTERM listener, added %s, awaits `lastScrape`', async (_since, late) => {
    const close = { REPORT_INTERVAL_MS: '60000', ON_SIGTERM: 'close' };
    const several = await run({ WORKERS: '1', ...close, ...late });
    const [pid] = await several.command<number[]>('workers');
    await ask(several, 5);
    await several.command('signal', [pid, 'SIGTERM']);
    const scrape = await several.untilEnded(pid, 0);
    expect([scrape.users(), scrape.value('jobs_total')]).toEqual([5, 5]);
    expect(scrape.value('http_server_worker_lost_reports_total')).toBe(0);
  });

  it.each(['/exit', '/throw'])('loses no count of requests at %s', async (path) => {
    const several = await run({ WORKERS: '1', REPORT_INTERVAL_MS: '60000' });
    const [pid] = await several.command<number[]>('workers');
    const sinceMs = performance.now();
    await ask(several, 5);
    const atLeastMs = performance.now() - sinceMs;
    await several.get(path).catch(() => undefined);
    const scrape = await several.untilEnded(pid, 0);
    expect(scrape.users()).toBe(5);
    expect(scrape.value('http_requests_total', { path })).toBe(1);
    // The user's counter could no longer be read.
    expect(scrape.value('http_server_worker_lost_reports_total')).toBe(1);
    expect(Number(scrape.value('http_server_worker_lost_seconds_total')) * 1000).toBeGreaterThan(atLeastMs);
  });
});

it('ends at SIGTERM even if the primary is stopped and reads no messages', async () => {
  const several = await run({ WORKERS: '1' });
  const [pid] = await several.command<number[]>('workers');
  await several.get('/stop-primary');
  process.kill(Number(pid), 'SIGTERM');
  // Its parent cannot read its exit code, so it stays a zombie.
  const state = async () => (await execute('ps', ['-o', 'stat=', '-p', String(pid)])).stdout;
  await until('the worker to end', async () => (await state()).startsWith('Z'));
});

it('exposes how many seconds of counts are lost with a killed worker', async () => {
  const several = await run({ WORKERS: '1', REPORT_INTERVAL_MS: '60000' });
  const [pid] = await several.command<number[]>('workers');
  await ask(several, 3);
  await several.scrape();
  const sinceMs = performance.now();
  await ask(several, 2);
  const atLeastMs = performance.now() - sinceMs;
  await several.command('signal', [pid, 'SIGKILL']);
  const scrape = await several.untilEnded(pid, 0);
  expect(scrape.users()).toBe(3);
  expect(scrape.value('http_server_worker_lost_reports_total')).toBe(1);
  expect(Number(scrape.value('http_server_worker_lost_seconds_total')) * 1000).toBeGreaterThan(atLeastMs);
});

it('shows the last report of an unresponsive worker, and its age', async () => {
  const several = await run({ REPORT_INTERVAL_MS: '60000', ANSWER_TIMEOUT_MS: '1000' });
  await ask(several, 4);
  await until('all to be reported', async () => (await several.scrape()).users() === 4);
  const [pid] = await several.command<number[]>('workers');
  await several.command('signal', [pid, 'SIGSTOP']);
  expect((await untilOld(several)).users()).toBe(4);
  // The stopped worker gets only one of them.
  const answers = [several.get('/users/5'), several.get('/users/5')];
  expect((await Promise.race(answers)).worker).not.toBe(`${pid} 0`);
});

it('fails a scrape and names the worker and the metric whose collector failed', async () => {
  const several = await run({ WORKERS: '1' });
  await ask(several, 1, '/break');
  expect((await several.scrape()).text).toBe('a collector failed: worker 1: sometimes: broken\n');
});

it('keeps the sum of a counter that one worker resets, and begins again when all have reset it, as one process does', async () => {
  const several = await run({ WORKERS: '2' });
  const workers = new Set<string>();
  const jobs = async () => (await several.scrape()).value('jobs_total');
  while (workers.size < 2) for (const worker of await ask(several, 1)) workers.add(worker);
  const sum = await jobs();
  const [first] = await ask(several, 1, '/reset');
  expect(await jobs()).toBe(sum);
  await until('the other to reset it', async () => !(await ask(several, 1, '/reset')).has(String(first)));
  expect(await jobs()).toBeUndefined();
  await ask(several, 2);
  expect(await jobs()).toBe(2);
});

it('includes earlier counts when the primary aggregates late, or again', async () => {
  const several = await run({ IS_LATE: '1' });
  await ask(several, 4);
  expect((await several.scrape()).users()).toBe(4);
  await several.command('aggregateAgain');
  await until('the new aggregate to know all workers', async () => (await several.scrape()).users() === 4);
});

it('neither fails nor loses a request in a rolling restart, after which the primary waits for one more scrape', async () => {
  const several = await run({ WORKERS: '2' });
  const traffic = load(several.port, 200);
  await several.command('restart');
  await traffic.stop();
  expect(traffic.failures).toEqual([]);
  const waiting = several.command<boolean>('lastScrape');
  await until('the last scrape', async () => (await several.scrape()).value('http_server_drained') === 1);
  expect(await waiting).toBe(true);
  const scrape = await several.scrape();
  expect(scrape.users()).toBe(traffic.answers.length);
  expect(scrape.value('jobs_total')).toBe(traffic.answers.length);
  expect(scrape.value('http_server_worker_lost_reports_total')).toBe(0);
});

describe('no sum falls while workers end under load', () => {
  const short = { seconds: 4, everyMs: 500, perSecond: 200, scrapes: 20 };

  it('and each request counts once if they end by SIGTERM', async () => {
    const several = await run({ WORKERS: '3', ON_SIGTERM: 'disconnect' });
    const result = await killWorkers(several, { ...short, signals: ['SIGTERM'] });
    expectNothingLost(result);
  });

  it('and no more counts are missing than are exposed as lost if every other worker is killed', async () => {
    const several = await run({ WORKERS: '3', ON_SIGTERM: 'disconnect', REPORT_INTERVAL_MS: '200' });
    const result = await killWorkers(several, { ...short, signals: ['SIGKILL', 'SIGTERM'] });
    expectLossWithinBound(result);
  });
});
