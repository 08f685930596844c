/** How many counts survive when workers of a loaded cluster end one after the other, every second one by SIGKILL. */
import { setTimeout as sleep } from 'node:timers/promises';
import { quick, report } from '../lib/report.ts';
import { type RunningCluster, startCluster, targets, variants } from './cluster.ts';

const SECONDS = quick ? 8 : 40;
const EVERY_MS = 2_000;
const SCRAPE_EVERY_MS = 100;
const PER_SECOND = 300;

const sumOf = (text: string) =>
  [...text.matchAll(/^http_requests_total\{.*\} (\S+)$/gm)].reduce(
    (sum, [, value]) => sum + Number(value),
    0,
  );

async function load(cluster: RunningCluster, isOver: () => boolean): Promise<number> {
  let answered = 0;
  let sent = 0;
  const pending = new Set<Promise<void>>();
  for (const startMs = performance.now(); !isOver(); await sleep(2)) {
    const due = ((performance.now() - startMs) / 1000) * PER_SECOND;
    for (let i = 0; i < 20 && sent < due; i++) {
      const one: Promise<void> = cluster
        .request(targets[sent++ % targets.length] as string)
        .then((isAnswered) => {
          answered += Number(isAnswered);
          pending.delete(one);
        });
      pending.add(one);
    }
  }
  await Promise.all(pending);
  return answered;
}

/** @returns the sum of every scrape; undefined for failed ones */
async function scrapes(cluster: RunningCluster, isOver: () => boolean) {
  const sums: (number | undefined)[] = [];
  do {
    const text = await cluster.scrape();
    sums.push(text === undefined ? undefined : sumOf(text));
    await sleep(SCRAPE_EVERY_MS);
  } while (!isOver() || sums.at(-1) === undefined);
  return sums;
}

async function end(cluster: RunningCluster, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const [pid = 0] = (await cluster.read()).pids.filter((one) => !cluster.ended.has(one));
  process.kill(pid, signal);
  await cluster.read('fork');
  while (!cluster.ended.has(pid)) await sleep(10);
}

/** Like Prometheus: a counter that is lower than before has started again at 0. */
const increaseOf = (sums: readonly number[]) =>
  sums.reduce((total, sum, i) => total + (sum < (sums[i - 1] ?? 0) ? sum : sum - (sums[i - 1] ?? 0)), 0);

const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(1)} %`;

const rows: Record<string, string>[] = [];
for (const variant of variants) {
  process.stderr.write(`${variant}\n`);
  const cluster = await startCluster(variant);
  let isLoaded = true;
  let isScraped = true;
  const answering = load(cluster, () => !isLoaded);
  const scraping = scrapes(cluster, () => !isScraped);
  for (let i = 0; i < (SECONDS * 1000) / EVERY_MS; i++) {
    await sleep(EVERY_MS);
    await end(cluster, i % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
  }
  isLoaded = false;
  const answered = await answering;
  await sleep(1_000);
  isScraped = false;
  const scraped = await scraping;
  await cluster.stop();
  const sums = scraped.filter((sum) => sum !== undefined);
  const falls = sums.filter((sum, i) => sum < (sums[i - 1] ?? 0)).length;
  const last = sums.at(-1) ?? 0;
  rows.push({
    'added up by': variant,
    scrapes: String(scraped.length),
    failed: String(scraped.length - sums.length),
    'lower than before': String(falls),
    answered: String(answered),
    'counted in the end': `${last} (${percent(last - answered, answered)})`,
    'increase as Prometheus sees it': `${increaseOf(sums)} (${percent(increaseOf(sums) - answered, answered)})`,
  });
}
report(
  'cluster-exactness',
  rows,
  `Four workers, ${PER_SECOND} requests a second for ${SECONDS} s, a scrape every ${SCRAPE_EVERY_MS} ms. Every ${EVERY_MS / 1000} s a worker ends, by SIGTERM and SIGKILL in turn, and is replaced.
On SIGTERM it ends gracefully: by \`cluster.worker.disconnect()\`, or with @prometheus-io/client by its \`shutdown()\`.`,
  ['prom-client', '@prometheus-io/client'],
);
