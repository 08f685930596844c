/**
 * What the instrument costs within the process, and which part of it costs what, on real `ServerResponse` objects and a
 * real Express. In each round every task runs one batch; from the instrumented one the same round's batch of the bare one is
 * subtracted. (tinybench runs one task after the other, and on a shared machine the difference of two medians, taken
 * at different times, can be negative.)
 */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import express, { type Express } from 'express';
import { instrument } from 'express-exact-metrics';
import * as promClient from 'prom-client';
import * as successor from 'prometheus-io-client';
import { describeMachine, median, report, toMarkdown } from '../lib/report.ts';

const quick = process.argv.includes('--quick');
const ROUNDS = quick ? 500 : 5_000;
const WARM_UP_ROUNDS = 300;
const BATCH = 200;

/** An application whose one route neither answers nor goes on: what remains is Express finding it. */
function build(prepare: (app: Express) => void): (response: ServerResponse) => void {
  const app = express();
  prepare(app);
  app.get('/products', () => undefined);
  return (response) => void app(request as never, response as never);
}

const request: IncomingMessage & { next?: unknown } = new IncomingMessage(new Socket());
request.method = 'GET';
request.url = '/products';
const bare = build(() => undefined);
const instrumented = build((app) => void instrument(app, { defaultMetrics: false }));
const labels = { path: 'products', method: 'get', code: '200' };
let sink = 0;

/** The empty life of a response; `use` is what happens between its creation and its close. */
function responses(use: (response: ServerResponse) => void): () => void {
  return () => {
    for (let i = 0; i < BATCH; i++) {
      const response = new ServerResponse(request);
      response.assignSocket(request.socket);
      use(response);
      response.emit('close');
      response.detachSocket(request.socket);
      // Express keeps what was here before to put it back; that is the request before this one, which kept the one before it.
      request.next = undefined;
    }
  };
}

function repeat(work: () => void): () => void {
  return () => {
    for (let i = 0; i < BATCH; i++) work();
  };
}

function libraryCalls(library: typeof successor): () => void {
  const registers = [new library.Registry()];
  const requests = new library.Counter({
    name: 'requests',
    help: 'r',
    labelNames: ['path', 'method'],
    registers,
  });
  const inProgress = new library.Gauge({ name: 'in_progress', help: 'i', registers });
  const labelNames = ['path', 'method', 'code'];
  const duration = new library.Histogram({ name: 'duration', help: 'd', labelNames, registers });
  return () => {
    inProgress.inc();
    inProgress.dec();
    requests.inc({ path: labels.path, method: labels.method });
    duration.observe({ ...labels }, 0.0004);
  };
}

const baseline = 'bare Express';
const whole = 'the whole instrument';
const tasks: Readonly<Record<string, () => void>> = {
  [baseline]: responses(bare),
  [whole]: responses(instrumented),
  'reading the clock twice': repeat(() => {
    sink += performance.now() - performance.now();
  }),
  'three of the four metrics by prom-client': repeat(libraryCalls(promClient as unknown as typeof successor)),
  'the same by @prometheus-io/client': repeat(libraryCalls(successor)),
};
const subtracted = new Set([whole]);

const measured = new Map<string, number[]>(Object.keys(tasks).map((name) => [name, []]));
for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
  for (const [name, work] of Object.entries(tasks)) {
    const start = performance.now();
    work();
    const ns = ((performance.now() - start) * 1e6) / BATCH;
    if (round >= WARM_UP_ROUNDS) measured.get(name)?.push(ns);
  }
}
if (Number.isNaN(sink)) throw new Error('the clock is not a number');

const alone = measured.get(baseline) as number[];
const rows = [...measured].map(([name, runs]) => {
  const own = subtracted.has(name) ? runs.map((ns, round) => ns - (alone[round] as number)) : runs;
  return { 'per request': name, 'median, ns': median(own).toFixed(0) };
});
report(
  'middleware-in-process',
  `${toMarkdown(rows)}

Medians of ${ROUNDS} rounds of ${BATCH} requests each. "${baseline}" is subtracted from the row below it. ${describeMachine(['prom-client', 'prometheus-io-client'])}. \`npm run bench:in-process --workspace tools\``,
  quick,
);
