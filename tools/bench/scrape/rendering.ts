/**
 * What one scrape costs in the process: time, size, and how long it keeps the event loop from other work. The same
 * histogram is held by an instrumented application and by each client library; each is asked through the listener that a
 * user would mount.
 */
import type { RequestListener } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import express, { type Express, Router } from 'express';
import { DURATION_BUCKETS_SECONDS, instrument } from 'express-exact-metrics';
import * as promClient from 'prom-client';
import * as successor from 'prometheus-io-client';
import { createApp } from '../../../app/src/app.ts';
import { mountRoutes } from '../../../app/src/mount-routes.ts';
import { parameters, routes } from '../../../app/src/routes.ts';
import { answerOf } from '../lib/in-process.ts';
import { describeMachine, median, report, toMarkdown } from '../lib/report.ts';

const quick = process.argv.includes('--quick');
const REPEATS = quick ? 11 : 51;
const WARM_UP_MS = quick ? 200 : 1_000;
const sizes = quick ? [1_000, 10_000] : [1_000, 10_000, 100_000];

/** A route by what requests ask for and by its label. */
interface Target {
  readonly url: string;
  readonly path: string;
  readonly method: string;
  readonly codes: readonly number[];
}

/** Every route has 499 and 500 beside its own codes, and each code a sample for every bucket, +Inf, the sum and the count. */
const SERIES_PER_ROUTE = 3 * (DURATION_BUCKETS_SECONDS.length + 3);

const UNMATCHED = { path: 'unmatched', method: 'other', codes: [404, 405] };

const ROUTES_PER_ROUTER = 50;

/** As many routes as have about `series` samples. */
function targetsFor(series: number): Target[] {
  return Array.from({ length: Math.round(series / SERIES_PER_ROUTE) }, (_, n) => {
    const rest = `/departments/${Math.floor(n / ROUTES_PER_ROUTER)}/shelves/${n % ROUTES_PER_ROUTER}`;
    return { url: `/shops/7${rest}`, path: `/shops/:shop${rest}`, method: 'get', codes: [200] };
  });
}

/** What Prometheus says that it takes where it keeps native histograms. */
const PROTOBUF = {
  accept: 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
};

/** What is scraped, and one request to every route, which happens between two scrapes. */
interface Subject {
  readonly scrape: RequestListener;
  request(): Promise<void>;
}

/** Gives `app` the routes of `targetsFor`, in routers, as large applications have them. */
function withRoutes(app: Express, targets: readonly Target[]): void {
  for (let from = 0; from < targets.length; from += ROUTES_PER_ROUTER) {
    const router = Router();
    for (let shelf = 0; shelf < Math.min(ROUTES_PER_ROUTER, targets.length - from); shelf++) {
      router.get(`/shelves/${shelf}`, (_request, response) => void response.end());
    }
    app.use(`/shops/:shop/departments/${from / ROUTES_PER_ROUTER}`, router);
  }
}

function asked(app: RequestListener, scrape: RequestListener, targets: readonly Target[]): Subject {
  return {
    scrape,
    async request() {
      for (const { url, method } of targets) await answerOf(app, url, method);
    },
  };
}

function instrumented(targets: readonly Target[], nativeHistograms = false): Subject {
  const app = express();
  const { handler } = instrument(app, { defaultMetrics: false, maxRoutes: targets.length, nativeHistograms });
  withRoutes(app, targets);
  return asked(app, handler, targets);
}

/** The same histogram held by a client library, with the same series from the start. */
function held(library: typeof successor, targets: readonly Target[], build: (app: Express) => void) {
  const registry = new library.Registry();
  const duration = new library.Histogram({
    name: 'http_request_duration_seconds',
    help: 'd',
    labelNames: ['path', 'method', 'code'],
    buckets: [...DURATION_BUCKETS_SECONDS],
    registers: [registry],
  });
  for (const { path, method, codes } of [...targets, UNMATCHED]) {
    for (const code of [...codes, 499, 500]) duration.zero({ path, method, code: String(code) });
  }
  const app = express();
  app.use((request, response, next) => {
    const startedMs = performance.now();
    response.on('close', () => {
      const path = request.route ? request.baseUrl.replace('/7', '/:shop') + request.route.path : 'unmatched';
      const labels = { path, method: request.method.toLowerCase(), code: String(response.statusCode) };
      duration.observe(labels, (performance.now() - startedMs) / 1000);
    });
    next();
  });
  const scrape: RequestListener = (_request, response) =>
    void registry.metrics().then((text: string) => response.end(text));
  build(app);
  return { registry, subject: asked(app, scrape, targets) };
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

async function measure(
  series: string,
  how: string,
  { request, scrape }: Subject,
  ask = () => answerOf(scrape, '/metrics'),
): Promise<Record<string, string>> {
  const warmUpEnd = performance.now() + WARM_UP_MS;
  const runs: Awaited<ReturnType<typeof time>>[] = [];
  while (runs.length < REPEATS) {
    await request();
    // What the requests have left behind is not the scrape's to collect.
    globalThis.gc?.({ type: 'minor' });
    const run = await time(ask);
    if (performance.now() > warmUpEnd) runs.push(run);
  }
  const body = runs[0]?.body ?? Buffer.of();
  const compressed = await promisify(gzip)(body, { level: 1 });
  const samples = (await answerOf(scrape, '/metrics'))
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

const libraries = [
  ['prom-client', promClient as unknown as typeof successor],
  ['@prometheus-io/client', successor],
] as const;

const stack: Target[] = routes.map(({ path, method, code }) => ({
  url: path.replace(':id', '7'),
  path,
  method,
  codes: [code],
}));
const { app, metrics } = createApp({
  routes,
  metricsOnApiPort: false,
  log: { error: () => undefined, info: () => undefined },
});
const rows = [await measure('the stack', 'this package', asked(app, metrics.handler, stack))];
for (const [how, library] of libraries) {
  const { registry, subject } = held(library, stack, (bare) => mountRoutes(bare, routes, [], parameters));
  library.collectDefaultMetrics({ register: registry });
  rows.push(await measure('the stack', how, subject));
}
for (const size of sizes) {
  const targets = targetsFor(size);
  const name = size.toLocaleString('en');
  rows.push(await measure(name, 'this package', instrumented(targets)));
  const both = instrumented(targets, true);
  const ask = () => answerOf(both.scrape, '/metrics?native=1', 'get', PROTOBUF);
  rows.push(await measure(name, 'this package, protobuf with native histograms', both, ask));
  for (const [how, library] of libraries) {
    const { subject } = held(library, targets, (bare) => withRoutes(bare, targets));
    rows.push(await measure(name, how, subject));
  }
}
report(
  'scrape-rendering',
  `${toMarkdown(rows)}

Medians of ${REPEATS} scrapes after ${WARM_UP_MS / 1000} s of warming up, one request to every route between two of them (and a collection of their garbage), each by the listener that a user would mount. "Loop held" is the longest time during which no other work ran.
"The stack" is its route table with the process metrics; samples are those of the text. ${describeMachine(['prom-client', 'prometheus-io-client'])}. \`npm run bench:rendering --workspace tools\``,
  quick,
);
process.exit();
