/** One exposition for all threads of a process, where threads differ from the processes of a cluster. */
import { afterEach, expect, it } from '@jest/globals';
import { until } from '../../test/support/until.ts';
import { get, type Several, start, stopAll, untilOld, untilWorkers } from './several.ts';

afterEach(stopAll);

const run = (env = {}) => start('threads', { REPORT_INTERVAL_MS: '60000', ...env });

/** Has every thread answer `times` requests. */
async function ask(several: Several, times: number): Promise<void> {
  for (const port of await several.command<number[]>('ports'))
    for (let i = 0; i < times; i++) await get(port, '/users/5');
}

it('adds up the counts of all threads, and exposes metrics of the process once', async () => {
  const several = await run();
  await ask(several, 3);
  const scrape = await several.scrape();
  expect([scrape.users(), scrape.value('jobs_total'), scrape.value('sizes_sum')]).toEqual([6, 6, 30]);
  const labels = (name: string) =>
    [...scrape.text.matchAll(new RegExp(`^${name}\\{.*worker="(\\w+)"`, 'gm'))].map(([, one]) => one).sort();
  expect(labels('process_cpu_seconds_total')).toEqual(['primary']);
  expect(labels('nodejs_eventloop_active_seconds_total')).toEqual(['1', '2', 'primary']);
});

it('loses no count when a thread waits for `lastScrape`, after which it ends by itself', async () => {
  const several = await run();
  await ask(several, 3);
  await several.command('stop');
  const scrape = await untilWorkers(several, 1);
  expect([scrape.users(), scrape.value('jobs_total')]).toEqual([6, 6]);
  expect(scrape.value('http_server_worker_lost_reports_total')).toBe(0);
  await several.command('add');
  await ask(several, 1);
  await untilWorkers(several, 2);
  expect((await several.scrape()).users()).toBe(8);
});

it('counts a thread once that is added twice, and ignores threads that have ended', async () => {
  const several = await run();
  await several.command('addAgain');
  await several.command('addEnded');
  await ask(several, 3);
  const scrape = await several.scrape();
  expect([scrape.users(), scrape.value('http_server_workers')]).toEqual([6, 2]);
  expect(scrape.value('http_server_worker_lost_reports_total')).toBe(0);
});

it.each(['/exit', '/throw'])('loses no request when a thread ends by %s', async (path) => {
  const several = await run();
  await ask(several, 3);
  await get(several.port, path).catch(() => undefined);
  expect((await untilWorkers(several, 1)).users()).toBe(6);
});

it('exposes how many seconds of counts are lost with a terminated thread', async () => {
  const several = await run();
  await several.scrape();
  await ask(several, 3);
  await several.command('terminate');
  const scrape = await untilWorkers(several, 1);
  expect(scrape.users()).toBe(3);
  expect(scrape.value('http_server_worker_lost_reports_total')).toBe(1);
  expect(scrape.value('http_server_worker_lost_seconds_total')).toBeGreaterThan(0);
});

it('shows the last report of an unresponsive thread, and its age', async () => {
  const several = await run({ ANSWER_TIMEOUT_MS: '1000' });
  await ask(several, 2);
  await until('all to be reported', async () => (await several.scrape()).users() === 4);
  await several.get('/block');
  expect((await untilOld(several)).users()).toBe(4);
});
