/** Loads a cluster while its workers end one after the other, and compares the counts with the responses that clients got. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { until } from '../../test/support/until.ts';
import { ABANDONED_MS, checkMonotonic, load, type Several } from './several.ts';

const SCRAPE_MS = 100;

export interface KillOptions {
  readonly seconds: number;
  readonly everyMs: number;
  readonly perSecond: number;
  /** Sent in turn, one per worker. */
  readonly signals: readonly ('SIGTERM' | 'SIGKILL')[];
  /** The number of scrapes to compare, one every {@link SCRAPE_MS} if the machine is fast enough. */
  readonly scrapes: number;
}

/** @throws when a sum falls from one scrape to the next, or metrics do not add up in one */
export async function killWorkers(several: Several, options: KillOptions) {
  const { seconds, everyMs, perSecond, signals, scrapes: wanted } = options;
  const traffic = load(several.port, perSecond, signals.includes('SIGKILL') ? ABANDONED_MS : 0);
  const deadline = performance.now() + seconds * 1000;
  let scrapes = 0;
  let isOver = false;
  let last = await several.scrape();
  const scraping = (async () => {
    while (!isOver) {
      const nextMs = performance.now() + SCRAPE_MS;
      const next = await several.scrape();
      checkMonotonic(last, next);
      last = next;
      scrapes++;
      await sleep(Math.max(nextMs - performance.now(), 0));
    }
  })();
  let hasFailed = false;
  scraping.catch(() => {
    hasFailed = true;
  });
  const lost = async () => Number((await several.scrape()).value('http_server_worker_lost_seconds_total'));
  let kills = 0;
  /** The killed workers, and since when their requests are exposed as lost. */
  const killed: { readonly pid: number; readonly sinceMs: number }[] = [];
  while (!hasFailed && (performance.now() < deadline || scrapes < wanted)) {
    const nextMs = performance.now() + everyMs;
    const signal = signals[kills++ % signals.length];
    const [pid = 0] = await several.command<number[]>('workers');
    const lostBefore = await lost();
    const killedMs = performance.now();
    await several.command('signal', [pid, signal]);
    await several.command('fork');
    await until(`worker ${pid} to end`, () => several.ended.includes(pid));
    if (signal === 'SIGKILL') {
      let lostSeconds = 0;
      await until('its loss to be exposed', async () => {
        lostSeconds = (await lost()) - lostBefore;
        return lostSeconds > 0;
      });
      // Its last report is no older than this.
      killed.push({ pid, sinceMs: killedMs - lostSeconds * 1000 });
    }
    await sleep(Math.max(nextMs - performance.now(), 0));
  }
  await traffic.stop();
  isOver = true;
  await scraping;
  const end = await several.scrape();
  checkMonotonic(last, end);
  return {
    kills,
    answered: traffic.answers.length,
    failures: traffic.failures,
    counted: Number(end.users()),
    /** The user's own counter. */
    jobs: Number(end.value('jobs_total')),
    lostReports: Number(end.value('http_server_worker_lost_reports_total')),
    /** The responses that may be missing. */
    bound: traffic.answers.filter(({ worker, atMs }) =>
      killed.some(({ pid, sinceMs }) => worker.startsWith(`${pid} `) && atMs >= sinceMs),
    ).length,
  };
}

type Result = Awaited<ReturnType<typeof killWorkers>>;

/** For workers that end by SIGTERM. */
export function expectNothingLost(result: Result): void {
  expect(result).toMatchObject({
    failures: [],
    lostReports: 0,
    counted: result.answered,
    jobs: result.answered,
  });
}

/** For every other worker killed, beginning with the first. */
export function expectLossWithinBound(result: Result): void {
  expect(result.lostReports).toBe(Math.ceil(result.kills / 2));
  for (const counted of [result.counted, result.jobs])
    expect(result.answered - counted).toBeLessThanOrEqual(result.bound);
  expect(result.counted).toBeLessThanOrEqual(result.answered + result.failures.length);
}
