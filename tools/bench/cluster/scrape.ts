/** The cost of one exposition for four workers: a scrape, and the reports between scrapes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { median, quick, report } from '../lib/report.ts';
import { cpuMs, type RunningCluster, startCluster, targets, variants } from './cluster.ts';

const WARM_UP = quick ? 5 : 30;
const REPEATS = quick ? 5 : 31;
const BETWEEN_SECONDS = quick ? 3 : 15;

/** Requests every route of every worker. */
async function ask(cluster: RunningCluster): Promise<void> {
  for (let round = 0; round < 5; round++) await Promise.all(targets.map((target) => cluster.request(target)));
}

interface Cost {
  readonly ms: number;
  readonly primaryMs: number;
  readonly workersMs: number;
  readonly delayMs: number;
  readonly bytes: number;
  readonly size: number;
}

async function costOfScrape(cluster: RunningCluster): Promise<Cost> {
  await ask(cluster);
  const { pids } = await cluster.read();
  const before = [cpuMs([cluster.primary]), cpuMs(pids)] as const;
  const startMs = performance.now();
  const text = await cluster.scrape();
  const ms = performance.now() - startMs;
  const primaryMs = cpuMs([cluster.primary]) - before[0];
  const workersMs = cpuMs(pids) - before[1];
  const { bytes, delayMs } = await cluster.read();
  return { ms, primaryMs, workersMs, delayMs, bytes, size: text.length };
}

/** CPU time of all processes and bytes per second without scrapes, with and without requests to every route. */
async function costBetween(cluster: RunningCluster) {
  const { pids } = await cluster.read();
  const all = [cluster.primary, ...pids];
  const before = cpuMs(all);
  await sleep(BETWEEN_SECONDS * 1000);
  const idle = { cpu: (cpuMs(all) - before) / BETWEEN_SECONDS, ...(await cluster.read()) };
  let seconds = 0;
  for (const startMs = performance.now(); seconds < BETWEEN_SECONDS; ) {
    await ask(cluster);
    await sleep(500);
    seconds = (performance.now() - startMs) / 1000;
  }
  return { idleCpu: idle.cpu, bytes: (await cluster.read()).bytes / seconds };
}

const rows: Record<string, string>[] = [];
for (const variant of variants) {
  process.stderr.write(`${variant}\n`);
  const measured = await startCluster(variant);
  for (let i = 0; i < WARM_UP; i++) await costOfScrape(measured);
  const costs: Cost[] = [];
  for (let i = 0; i < REPEATS; i++) costs.push(await costOfScrape(measured));
  const between = await costBetween(measured);
  await measured.stop();
  // In a separate run, because counting bytes takes time.
  const counted = await startCluster(variant, { COUNT_BYTES: '1' });
  for (let i = 0; i < 3; i++) await costOfScrape(counted);
  const { bytes } = await costOfScrape(counted);
  const reported = await costBetween(counted);
  await counted.stop();
  const of = (key: keyof Cost) => median(costs.map((cost) => cost[key]));
  rows.push({
    'added up by': variant,
    'scrape, ms': of('ms').toFixed(0),
    'CPU of primary, ms': of('primaryMs').toFixed(1),
    'of 4 workers, ms': of('workersMs').toFixed(1),
    'loop of primary blocked, ms': of('delayMs').toFixed(1),
    'IPC, kB': (bytes / 1000).toFixed(1),
    'IPC between, kB/s': (reported.bytes / 1000).toFixed(1),
    'CPU of all when idle, ms/s': between.idleCpu.toFixed(1),
    'exposition, kB': (of('size') / 1000).toFixed(0),
  });
}
report(
  'cluster-scrape',
  rows,
  `Medians of ${REPEATS} scrapes of the text after ${WARM_UP}, of four workers with 150 routes; their 75 GET routes are requested between two scrapes. CPU time is
the scheduler's, from the arrival of a scrape to the end of its response. "IPC between" is without scrapes, while all those routes are
requested: this package reports once a second. Peers are instrumented by hand, with the same buckets and the codes 200, 499 and 500 from
the start, and aggregated by their \`AggregatorRegistry\`.`,
  ['prom-client', '@prometheus-io/client'],
);
