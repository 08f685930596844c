/**
 * What the instrument costs within the process, and which part of it costs what, on real `ServerResponse` objects. In each
 * round every task runs one batch; from what needs a response to run on, the same round's batch of responses alone is
 * subtracted. (tinybench runs one task after the other, and on a shared machine the difference of two medians, taken
 * at different times, can be negative.)
 */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import * as promClient from 'prom-client';
import * as successor from 'prometheus-io-client';
import { createInstrument } from '../../app/src/instrumentation/instrument.ts';
import { createMetrics } from '../../app/src/instrumentation/metrics.ts';
import { toRouteLabels } from '../../app/src/instrumentation/route-table.ts';
import { routes } from '../../app/src/routes.ts';
import { describeMachine, median, report, toMarkdown } from '../lib/report.ts';

const quick = process.argv.includes('--quick');
const ROUNDS = quick ? 500 : 5_000;
const WARM_UP_ROUNDS = 300;
const BATCH = 200;

const metrics = createMetrics(new promClient.Registry(), toRouteLabels(routes));
const { around, matched } = createInstrument(metrics);
const mark = matched('products', 'get');
const application = around((request, response) => mark(request, response, next));
const series = metrics.routed('products', 'get');
const request = new IncomingMessage(new Socket());
request.method = 'GET';
const next = () => undefined;
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

const baseline = 'a response alone';
const whole = 'the whole instrument';
const tasks: Readonly<Record<string, () => void>> = {
  [baseline]: responses(() => undefined),
  [whole]: responses((response) => application(request, response)),
  'listening for `close`': responses((response) => response.on('close', next)),
  'reading the clock twice': repeat(() => {
    sink += performance.now() - performance.now();
  }),
  'counting (start and end)': repeat(() => {
    metrics.started();
    metrics.ended(series, 200, 0.0004);
  }),
  'the same by prom-client': repeat(libraryCalls(promClient as unknown as typeof successor)),
  'the same by @prometheus-io/client': repeat(libraryCalls(successor)),
};
const subtracted = new Set([whole, 'listening for `close`']);

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

Medians of ${ROUNDS} rounds of ${BATCH} requests each. "${baseline}" is subtracted from the two rows below it. The rows of the libraries
count three of the four metrics. ${describeMachine(['prom-client', 'prometheus-io-client'])}. \`npm run bench:in-process --workspace bench\``,
  quick,
);
