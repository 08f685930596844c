/**
 * What one scrape costs in the process: time, size, and how long it keeps the event loop from other work. The same series are
 * held by this package and by each client library; each is asked through the listener that a user would mount.
 */
import type { RequestListener } from 'node:http';
import { gzipSync } from 'node:zlib';
import express, { type Express, Router } from 'express';
import { DURATION_BUCKETS_SECONDS, instrument } from 'express-exact-metrics';
import * as promClient from 'prom-client';
import * as successor from 'prometheus-io-client';
import { createApp } from '../../../app/src/app.ts';
import { parseConfig } from '../../../app/src/config.ts';
import { mountRoutes } from '../../../app/src/mount-routes.ts';
import { routes } from '../../../app/src/routes.ts';
import { answerOf } from '../lib/answer.ts';
import { median, quick, report } from '../lib/report.ts';
import { byHand } from '../middleware/by-hand.ts';

const REPEATS = quick ? 11 : 51;
const WARM_UP_MS = quick ? 200 : 1_000;
const sizes = quick ? [1_000, 10_000] : [1_000, 10_000, 100_000];
/** Each code has a sample for every bucket, +Inf, the sum and the count; each route has its own code, 499 and 500. */
const SERIES_PER_ROUTE = 3 * (DURATION_BUCKETS_SECONDS.length + 3);
const ROUTES_PER_ROUTER = 50;

interface Target {
  readonly url: string;
  readonly path: string;
  readonly method: string;
  readonly code: number;
}

/** An application without instrumentation, and its routes. */
interface Subject {
  readonly name: string;
  readonly targets: readonly Target[];
  build(app: Express): void;
}

/** As many routes as have about `series` samples, in routers, as large applications have them. */
function subjectOf(series: number): Subject {
  const targets = Array.from({ length: Math.round(series / SERIES_PER_ROUTE) }, (_, n) => {
    const path = `/departments/${Math.floor(n / ROUTES_PER_ROUTER)}/shelves/${n % ROUTES_PER_ROUTER}`;
    return { url: path, path, method: 'get', code: 200 };
  });
  return {
    name: series.toLocaleString('en'),
    targets,
    build(app) {
      for (let from = 0; from < targets.length; from += ROUTES_PER_ROUTER) {
        const router = Router();
        for (let shelf = 0; shelf < Math.min(ROUTES_PER_ROUTER, targets.length - from); shelf++) {
          router.get(`/shelves/${shelf}`, (_request, response) => void response.end());
        }
        app.use(`/departments/${from / ROUTES_PER_ROUTER}`, router);
      }
    },
  };
}

/** Runs `work` while a loop of immediates notes its longest gap. @returns both times in milliseconds */
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
/** As Prometheus asks where it keeps native histograms. */
const asProtobuf = (scrape: RequestListener) =>
  answerOf(scrape, '/metrics?native=1', 'get', {
    accept: 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
  });

const rows: Record<string, string>[] = [];

/** Scrapes `app` repeatedly, with one request to every route between two scrapes. */
async function measure(subject: Subject, how: string, app: Express, scrape: RequestListener, ask = asText) {
  const warmUpEnd = performance.now() + WARM_UP_MS;
  const runs: Awaited<ReturnType<typeof time>>[] = [];
  while (runs.length < REPEATS) {
    for (const { url, method } of subject.targets) await answerOf(app, url, method);
    // A scrape does not pay for the garbage of the requests.
    globalThis.gc?.({ type: 'minor' });
    const run = await time(() => ask(scrape));
    if (performance.now() > warmUpEnd) runs.push(run);
  }
  const body = runs[0]?.body ?? Buffer.of();
  const samples = (await asText(scrape)).toString().match(/^[^#\n]/gm) ?? [];
  rows.push({
    'rendered by': `${subject.name}: ${how}`,
    samples: String(samples.length),
    'time, ms': median(runs.map((run) => run.ms)).toFixed(2),
    'loop held, ms': median(runs.map((run) => run.delayMs)).toFixed(2),
    kB: (body.length / 1000).toFixed(0),
    'gzip, kB': (gzipSync(body, { level: 1 }).length / 1000).toFixed(1),
  });
}

/** The same series held by the client libraries, from the start. */
async function measureLibraries(subject: Subject): Promise<void> {
  for (const [how, library] of [
    ['prom-client', promClient as unknown as typeof successor],
    ['@prometheus-io/client', successor],
  ] as const) {
    const app = express();
    const zeros = [
      ...subject.targets.map(({ path, method, code }) => ({ path, method, codes: [code, 499, 500] })),
      { path: 'unmatched', method: 'other', codes: [404, 405, 499, 500] },
    ].flatMap(({ codes, ...route }) => codes.map((code) => ({ ...route, code: String(code) })));
    const scrape = byHand(library, app, zeros);
    subject.build(app);
    await measure(subject, how, app, scrape);
  }
}

const stack: Subject = {
  name: 'the stack',
  targets: routes.map(({ path, method, code }) => ({ url: path.replace(':id', '7'), path, method, code })),
  build: (app) => mountRoutes(app, routes),
};
const config = parseConfig({ METRICS_ON_API_PORT: 'false' });
const { app, metrics } = createApp(config, routes, { error: () => undefined, info: () => undefined });
await measure(stack, 'this package', app, metrics.handler);
await measureLibraries(stack);
for (const subject of sizes.map(subjectOf)) {
  for (const nativeHistograms of [false, true]) {
    const app = express();
    const { handler } = instrument(app, { maxRoutes: subject.targets.length, nativeHistograms });
    subject.build(app);
    const how = `this package${nativeHistograms ? ', protobuf with native histograms' : ''}`;
    await measure(subject, how, app, handler, nativeHistograms ? asProtobuf : asText);
  }
  await measureLibraries(subject);
}
report(
  'scrape-rendering',
  rows,
  `Medians of ${REPEATS} scrapes after ${WARM_UP_MS / 1000} s of warming up, one request to every route between two of them (and a collection of their garbage), each by the listener that a user would mount. "Loop held" is the longest time during which no other work ran.
All have the process metrics; samples are those of the text.`,
  ['prom-client', 'prometheus-io-client'],
);
process.exit();
