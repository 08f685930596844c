/**
 * What Prometheus needs for so many routes in so many replicas. The replicas are ports that replay the exposition of one
 * instrumented application; Prometheus is a real one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { describeMachine, report, toMarkdown } from '../lib/report.ts';
import { type Prometheus, SCRAPE_INTERVAL_SECONDS, startPrometheus } from './prometheus.ts';
import { expositionOf, replay } from './replay.ts';

const quick = process.argv.includes('--quick');
const SETTLE_SECONDS = quick ? 10 : 15;
const WATCH_SECONDS = quick ? 10 : 20;
const ALL_UP_WITHIN_SECONDS = 60;

/** As many as fit a machine of 16 GB beside everything else: 50 replicas of 1,002 routes would be 2.5 million series. */
const sizes: readonly (readonly [routes: string, replicas: number])[] = [
  ['9', 1],
  ['9', 10],
  ['9', 50],
  ['150', 1],
  ['150', 10],
  ['150', 50],
  ['1002', 1],
  ['1002', 10],
];

async function watch(prometheus: Prometheus, replicas: number): Promise<Record<string, string>> {
  const endMs = performance.now() + ALL_UP_WITHIN_SECONDS * 1000;
  while ((await prometheus.query('count(max_over_time(up[1m]) == 1)')) !== replicas) {
    if (performance.now() > endMs) throw new Error(`not all ${replicas} targets were up within a minute`);
    await sleep(500);
  }
  await sleep(SETTLE_SECONDS * 1000);
  const [cpu, startMs] = [await prometheus.own('process_cpu_seconds_total'), performance.now()];
  await sleep(WATCH_SECONDS * 1000);
  const seconds = (performance.now() - startMs) / 1000;
  const core = ((await prometheus.own('process_cpu_seconds_total')) - cpu) / seconds;
  const series = await prometheus.own('prometheus_tsdb_head_series');
  const resident = await prometheus.own('process_resident_memory_bytes');
  return {
    series: String(series),
    'Prometheus, MB': (resident / 1e6).toFixed(0),
    'Prometheus, of one core': `${(100 * core).toFixed(1)} %`,
  };
}

const rows: Record<string, string>[] = [];
for (const [routes, replicas] of quick ? sizes.slice(0, 2) : sizes) {
  process.stderr.write(`${routes} routes, ${replicas} replicas\n`);
  const targets = await replay(await expositionOf(routes), replicas);
  const prometheus = await startPrometheus(targets.ports).catch((error: Error) => {
    process.stderr.write(`left out: ${error.message}\n`);
    process.exit(0);
  });
  try {
    rows.push({ routes, replicas: String(replicas), ...(await watch(prometheus, replicas)) });
  } finally {
    await prometheus.stop();
    targets.close();
  }
}
report(
  'scaling-prometheus',
  `${toMarkdown(rows)}

Prometheus with an empty data base, scraping every ${SCRAPE_INTERVAL_SECONDS} s, ${SETTLE_SECONDS} s after all targets were up; CPU over the ${WATCH_SECONDS} s that follow. The targets replay one
application's exposition, without traffic: the series are as many as real ones, their samples compress better on disk. ${describeMachine([])}.
\`npm run bench:scaling --workspace tools\``,
  quick,
);
