/**
 * What one scrape costs in the process: time, size, and how long it keeps the event loop from other work. The same
 * series are held by this instrument and by each client library, and rendered by this project and by that library.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import express from 'express';
import { DURATION_BUCKETS_SECONDS, instrument } from 'express-exact-metrics';
import * as promClient from 'prom-client';
import * as successor from 'prometheus-io-client';
import { createApp } from '../../app/src/app.ts';
import { routes } from '../../app/src/routes.ts';
import { describeMachine, median, report, toMarkdown } from '../lib/report.ts';

type Scrape = () => Promise<string | Buffer>;

const quick = process.argv.includes('--quick');
const REPEATS = quick ? 11 : 51;
const WARM_UP_MS = quick ? 200 : 1_000;
const sizes = quick ? [1_000, 10_000] : [1_000, 10_000, 100_000];

/** What a histogram has cells for: the codes, 499 and 500 of a path and method. */
interface Cells {
  readonly path: string;
  readonly method: string;
  readonly codes: readonly number[];
}

/** One route has three cells, and each cell a sample for every bucket, +Inf, the sum and the count. */
const SERIES_PER_ROUTE = 3 * (DURATION_BUCKETS_SECONDS.length + 3);

function tableOf(series: number): Cells[] {
  return Array.from({ length: Math.round(series / SERIES_PER_ROUTE) }, (_, i) => ({
    path: `/shops/:shop/departments/${i}`,
    method: 'get',
    codes: [200],
  }));
}

/** What is scraped, and one request to every path, which happens between two scrapes. */
interface Subject {
  readonly scrape: Scrape;
  request(): void;
}

/** An application with these routes, instrumented; a scrape is what its handler writes. */
function instrumented(app: Express, metrics: Metrics, paths: readonly string[]): Subject {
  return {
    scrape: () => answerOf(metrics.handler, '/metrics'),
    request() {
      for (const path of paths) answer(app, path.replace(':shop', 'one').replace(':id', '7'));
    },
  };
}

function withRoutes(table: readonly Cells[]): Subject {
  const app = express();
  const metrics = instrument(app, { defaultMetrics: false });
  for (const { path } of table) app.get(path, (_request, response) => void response.end());
  return instrumented(
    app,
    metrics,
    table.map(({ path }) => path),
  );
}

/** The same histogram held by the library itself. */
function held(library: typeof successor, table: readonly Cells[]): Subject {
  const registry = new library.Registry();
  const duration = new library.Histogram({
    name: 'http_request_duration_seconds',
    help: 'd',
    labelNames: ['path', 'method', 'code'],
    buckets: DURATION_BUCKETS_SECONDS,
    registers: [registry],
  });
  for (const { path, method, codes } of table) {
    for (const code of [...codes, 499, 500]) duration.zero({ path, method, code: String(code) });
  }
  return {
    registry,
    request() {
      for (const { path, method, codes } of table)
        duration.observe({ path, method, code: String(codes[0]) }, 0.0004);
    },
  };
}

/** This project's rendering of a registry, as the exposition does it. */
function byUs({ registry }: Subject): Scrape {
  const gather = createGather(registry as unknown as Registry);
  return async () => render(await gather(), 'text');
}

/** Runs `work` while a loop of immediates notes its longest gap. @returns both times in milliseconds */
async function time(work: Scrape): Promise<{ ms: number; delayMs: number; body: string | Buffer }> {
  let delayMs = 0;
  let last = performance.now();
  let running = true;
  const watch = () => {
    const now = performance.now();
    delayMs = Math.max(delayMs, now - last);
    last = now;
    if (running) setImmediate(watch);
  };
  setImmediate(watch);
  await new Promise(setImmediate);
  const start = performance.now();
  const body = await work();
  const ms = performance.now() - start;
  await new Promise(setImmediate);
  running = false;
  return { ms, delayMs, body };
}

async function measure(
  series: string,
  how: string,
  subject: Subject,
  scrape: Scrape = () => subject.registry.metrics(),
): Promise<Record<string, string>> {
  const warmUpEnd = performance.now() + WARM_UP_MS;
  const runs: Awaited<ReturnType<typeof time>>[] = [];
  while (runs.length < REPEATS) {
    subject.request();
    const run = await time(scrape);
    if (performance.now() > warmUpEnd) runs.push(run);
  }
  const body = Buffer.from(runs[0]?.body ?? '');
  const compressed = await promisify(gzip)(body, { level: 1 });
  const samples = body
    .toString()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#')).length;
  return {
    'rendered by': `${series}: ${how}`,
    samples: String(samples),
    'time, ms': median(runs.map((run) => run.ms)).toFixed(2),
    'loop held, ms': median(runs.map((run) => run.delayMs)).toFixed(2),
    kB: (body.length / 1000).toFixed(0),
    'gzip, kB': (compressed.length / 1000).toFixed(1),
  };
}

const prom = promClient as unknown as typeof successor;
const stack = toRouteLabels(routes);
const methods = new Set([...stack.map(({ method }) => method as string), 'other']);
const unmatched = [...methods].map((method) => ({ path: 'unmatched', method, codes: [404, 405] }));
const own = instrument(stack, true);
const rows = [await measure('the stack', 'this instrument', own, byUs(own))];
for (const [how, library] of [
  ['prom-client', prom],
  ['@prometheus-io/client', successor],
] as const) {
  const subject = held(library, [...stack, ...unmatched]);
  library.collectDefaultMetrics({ register: subject.registry });
  rows.push(await measure('the stack', how, subject));
}
for (const size of sizes) {
  const table = routeLabels(size);
  const name = size.toLocaleString('en');
  const ours = instrument(table, false);
  rows.push(await measure(name, 'this instrument', ours, byUs(ours)));
  const byLibrary = held(prom, table);
  rows.push(await measure(name, 'prom-client, rendered by us', byLibrary, byUs(byLibrary)));
  rows.push(await measure(name, 'prom-client', byLibrary));
  rows.push(await measure(name, '@prometheus-io/client', held(successor, table)));
}
report(
  'scrape-rendering',
  `${toMarkdown(rows)}

Medians of ${REPEATS} scrapes after a second of warming up, one request to every path between two of them. "Loop held" is the longest time during which no other work ran.
"The stack" is its route table with the process metrics. ${describeMachine(['prom-client', 'prometheus-io-client'])}. \`npm run bench:rendering --workspace bench\``,
  quick,
);
