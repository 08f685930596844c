/**
 * Half an hour of mixed traffic, malformed and aborted requests among it, against a running stack (`make up`): do memory, handles,
 * series or lateness grow? By hand: `npm run bench:soak --workspace tools -- --minutes 30`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { describeMachine, report, type Table, toMarkdown } from '../lib/report.ts';
import { startLoadgen } from '../loadgen/generators.ts';
import { startRude } from './rude.ts';
import { SOAK_COLUMNS } from './soak-plot.ts';

const RATE = 100;
const RUDE_RATE = 20;
const SEED = 1;
const ROWS = 15;
/** A scrape, and the longest window of what is asked. */
const SETTLE_MS = 10_000;

/** A minute's last scrape: a busy machine leaves some out. */
const QUERIES: Readonly<Record<(typeof SOAK_COLUMNS)[number], string>> = {
  'resident, MB': 'sum(last_over_time(process_resident_memory_bytes{job="api"}[1m])) / 1e6',
  'heap, MB': 'sum(last_over_time(nodejs_heap_size_used_bytes{job="api"}[1m])) / 1e6',
  'file descriptors': 'sum(last_over_time(process_open_fds{job="api"}[1m]))',
  'active resources': 'sum(last_over_time(nodejs_active_resources{job="api"}[1m]))',
  series: 'sum(last_over_time(scrape_samples_scraped{job="api"}[1m]))',
  'late, ms in a second': '1000 * sum(rate(nodejs_eventloop_late_seconds_total{job="api"}[1m]))',
};

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '30' } } });
const minutes = Number(values.minutes);
if (!(minutes >= 1)) {
  process.stderr.write(`--minutes: expected a number from 1, got "${values.minutes}"\n`);
  process.exit(2);
}
const port = (name: string, otherwise: number) => Number(process.env[name] ?? otherwise);
const apiPort = port('API_HOST_PORT', 5001);
const prometheusUrl = `http://127.0.0.1:${port('PROMETHEUS_HOST_PORT', 9090)}`;

/** [seconds since 1970, value] in equal steps. */
async function range(query: string, start: number, end: number): Promise<Map<number, number>> {
  const asked = { query, start: String(start), end: String(end), step: String((end - start) / ROWS) };
  const response = await fetch(`${prometheusUrl}/api/v1/query_range?${new URLSearchParams(asked)}`);
  const { data } = (await response.json()) as { data: { result: { values: [number, string][] }[] } };
  const [series] = data.result;
  if (!series) throw new Error(`Prometheus has no answer to ${query}`);
  return new Map(series.values.map(([at, value]) => [Math.round(at - start), Number(value)]));
}

const responses = await fetch(`http://127.0.0.1:${apiPort}/products`).catch(() => undefined);
if (responses?.ok !== true) {
  process.stderr.write(`no API at port ${apiPort}: start it with make up\n`);
  process.exit(3);
}
process.stderr.write(`${RATE} requests and ${RUDE_RATE} rude connections a second for ${minutes} minutes\n`);
const startSeconds = Date.now() / 1000;
const rude = startRude(apiPort, RUDE_RATE, SEED);
const flags = ['--rate', String(RATE), '--duration', `${minutes}m`];
const load = startLoadgen(`http://127.0.0.1:${apiPort}`, flags, 'mixed');
const { phases } = JSON.parse(await load.output) as {
  phases: { sent: number; errors: number; dropped: number; latencyMs: Record<string, number> }[];
};
rude.stop();
const [phase] = phases;
if (!phase) throw new Error('the load has no report');
const endSeconds = Date.now() / 1000;
await sleep(SETTLE_MS);

const columns = await Promise.all(
  SOAK_COLUMNS.map(async (name) => [name, await range(QUERIES[name], startSeconds, endSeconds)] as const),
);
const digits = (value: number) => (value < 10 ? value.toFixed(1) : value.toFixed(0));
// The first moment is before the first scrape under load.
const rows: Table = Array.from({ length: ROWS }, (_, i) => {
  const second = Math.round(((i + 1) * (endSeconds - startSeconds)) / ROWS);
  const cells = columns.map(([name, points]) => [name, digits(points.get(second) ?? Number.NaN)]);
  return { minute: (second / 60).toFixed(0), ...Object.fromEntries(cells) };
});
report(
  'stack-soak',
  `${toMarkdown(rows)}

${phase.sent} requests (\`mixed\`, ${RATE}/s): ${phase.errors} failed, ${phase.dropped} dropped, p50 ${phase.latencyMs.p50} ms, p99 ${phase.latencyMs.p99} ms. Beside them ${rude.sent.malformed} malformed connections, and ${rude.sent.aborted} that were left
in the middle. One replica of the API, as Prometheus has seen it. ${describeMachine([])}. \`npm run bench:soak --workspace tools\``,
  minutes < 30,
);
