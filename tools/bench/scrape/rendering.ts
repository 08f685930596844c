/**
 * The cost of one scrape in the process: time, size, and how long it blocks the event loop. This package and each client library hold
 * the same series; each is scraped through the listener that a user would mount.
 */
import type { RequestListener } from 'node:http';
import { gzipSync } from 'node:zlib';
import * as successor from '@prometheus-io/client';
import express, { type Express } from 'express';
import { DURATION_BUCKETS_SECONDS, instrument } from 'express-exact-metrics';
import * as promClient from 'prom-client';
import { createApp } from '../../../app/src/app.ts';
import { parseConfig } from '../../../app/src/config.ts';
import { mountRoutes } from '../../../app/src/mount-routes.ts';
import { routes } from '../../../app/src/routes.ts';
import { answerOf } from '../lib/answer.ts';
import { median, quick, report } from '../lib/report.ts';
import { large } from '../middleware/apps.ts';
import { byHand } from '../middleware/by-hand.ts';

const REPEATS = quick ? 11 : 51;
const WARM_UP_MS = quick ? 200 : 1_000;
const sizes = quick ? [1_000, 10_000] : [1_000, 10_000, 100_000];
/** Each code has a sample for every bucket, +Inf, sum and count; each route has its own code, 499 and 500. */
const SERIES_PER_ROUTE = 3 * (DURATION_BUCKETS_SECONDS.length + 3);
const ROUTES_PER_RESOURCE = 6;

type Routes = readonly { readonly method: string; readonly path: string; readonly code?: number }[];

/** Runs `work` while a loop of immediates measures its longest gap. @returns both times in milliseconds */
async function time(work: () => Promise<Buffer>): Promise<{ ms: number; delayMs: number; body: Buffer }> {
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

const asText = (scrape: RequestListener) => answerOf(scrape, '/metrics');
/** The request of a Prometheus that stores native histograms. */
const asProtobuf = (scrape: RequestListener) =>
  answerOf(scrape, '/metrics?native=1', 'get', {
    accept: 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
  });

const rows: Record<string, string>[] = [];

/** Scrapes `app` repeatedly, with one request to every route between two scrapes. */
async function measure(name: string, routes: Routes, app: Express, scrape: RequestListener, ask = asText) {
  const warmUpEnd = performance.now() + WARM_UP_MS;
  const runs: Awaited<ReturnType<typeof time>>[] = [];
  while (runs.length < REPEATS) {
    for (const { path, method } of routes) await answerOf(app, path.replace(':id', '7'), method);
    // So that the scrape does not pay for collecting the garbage of the requests.
    globalThis.gc?.({ type: 'minor' });
    const run = await time(() => ask(scrape));
    if (performance.now() > warmUpEnd) runs.push(run);
  }
  const body = runs[0]?.body ?? Buffer.of();
  const samples = (await asText(scrape)).toString().match(/^[^#\n]/gm) ?? [];
  rows.push({
    'rendered by': name,
    samples: String(samples.length),
    'time, ms': median(runs.map((run) => run.ms)).toFixed(2),
    'loop blocked, ms': median(runs.map((run) => run.delayMs)).toFixed(2),
    kB: (body.length / 1000).toFixed(0),
    'gzip, kB': (gzipSync(body, { level: 1 }).length / 1000).toFixed(1),
  });
}

/** The same series in the client libraries, from the start. */
async function measureLibraries(name: string, routes: Routes, build: (app: Express) => void): Promise<void> {
  for (const [how, library] of [
    ['prom-client', promClient as unknown as typeof successor],
    ['@prometheus-io/client', successor],
  ] as const) {
    const app = express();
    const zeros = [
      ...routes.map(({ path, method, code = 200 }) => ({ path, method, codes: [code, 499, 500] })),
      { path: 'unmatched', method: 'other', codes: [404, 405, 499, 500] },
    ].flatMap(({ codes, ...route }) => codes.map((code) => ({ ...route, code: String(code) })));
    const scrape = byHand(library, app, zeros);
    build(app);
    await measure(`${name}: ${how}`, routes, app, scrape);
  }
}

const config = parseConfig({ METRICS_ON_API_PORT: 'false' });
const { app, metrics } = createApp(config, routes, { error: () => undefined, info: () => undefined });
await measure('the stack: this package', routes, app, metrics.handler);
await measureLibraries('the stack', routes, (app) => mountRoutes(app, routes));
for (const series of sizes) {
  const subject = large(Math.round(series / SERIES_PER_ROUTE / ROUTES_PER_RESOURCE));
  const name = series.toLocaleString('en');
  for (const nativeHistograms of [false, true]) {
    const app = express();
    const { handler } = instrument(app, { maxRoutes: subject.routes.length, nativeHistograms });
    subject.build(app);
    const how = `this package${nativeHistograms ? ', protobuf with native histograms' : ''}`;
    const ask = nativeHistograms ? asProtobuf : asText;
    await measure(`${name}: ${how}`, subject.routes, app, handler, ask);
  }
  await measureLibraries(name, subject.routes, subject.build);
}
report(
  'scrape-rendering',
  rows,
  `Medians of ${REPEATS} scrapes after ${WARM_UP_MS / 1000} s of warm-up, through the listener that a user would mount, with one request to every route (and a garbage collection)
between two scrapes. "Loop blocked" is the longest time in which no other work ran. Samples are those of the text. All have the process metrics.`,
  ['prom-client', '@prometheus-io/client'],
);
process.exit();
