/**
 * What the instrument costs within the process, and which part of it costs what. Every sample is the mean over a batch of
 * requests on real `ServerResponse` objects; the same batch without the instrument is subtracted.
 */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import * as promClient from 'prom-client';
import * as successor from 'prometheus-io-client';
import { Bench } from 'tinybench';
import { createInstrument } from '../../app/src/instrumentation/instrument.ts';
import { createMetrics } from '../../app/src/instrumentation/metrics.ts';
import { toRouteLabels } from '../../app/src/instrumentation/route-table.ts';
import { routes } from '../../app/src/routes.ts';
import { describeMachine, report, toMarkdown } from '../lib/report.ts';

const quick = process.argv.includes('--quick');
const BATCH = 1000;

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

const bench = new Bench({ time: quick ? 200 : 2000, warmupTime: 500 });
for (const [name, work] of Object.entries(tasks)) bench.add(name, work);
await bench.run();
if (Number.isNaN(sink)) throw new Error('the clock is not a number');

const medianNs = new Map(
  bench.tasks.map(({ name, result }) => {
    if (result.state !== 'completed') throw new Error(`${name}: ${result.state}`);
    return [name, (result.latency.p50 * 1e6) / BATCH];
  }),
);
const rows = [...medianNs].map(([name, ns]) => ({
  'per request': name,
  'median, ns': (subtracted.has(name) ? ns - (medianNs.get(baseline) as number) : ns).toFixed(0),
}));
report(
  'middleware-in-process',
  `${toMarkdown(rows)}

Medians over batches of ${BATCH} requests; from the first two instrument rows "${baseline}" is subtracted. The library rows count three
of the four metrics. ${describeMachine(['prom-client', 'prometheus-io-client', 'tinybench'])}. \`npm run bench:in-process --workspace bench\``,
  quick,
);
