/**
 * What exemplars cost a request in process: without a server and a router, since 50 ns are a thousandth of what the whole takes. The same requests go to two applications in turn, one with exemplars, and what is compared is the CPU time of
 * neighbours. Both run inside of a span, as under OpenTelemetry, or outside of any.
 */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { Registry } from '@prometheus-io/client';
import express, { type Express } from 'express';
import { instrument } from 'express-exact-metrics';
import { median, quick, report } from '../lib/report.ts';

const ROUNDS = quick ? 200 : 2_000;
const WARM_UP_ROUNDS = 200;
const REQUESTS = 200;
const TRACE_ID = 'ab'.repeat(16);
const PARENT_ID = 'cd'.repeat(8);

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
const span = trace.wrapSpanContext({ traceId: TRACE_ID, spanId: PARENT_ID, traceFlags: 1 });
const inSpan = trace.setSpan(ROOT_CONTEXT, span);

function createApp(exemplars: boolean): Express {
  const app = express();
  // In the place of the router: what a response does when all of it is with the operating system.
  Object.assign(app, { handle: (_request: unknown, response: ServerResponse) => response.emit('finish') });
  instrument(app, { registry: new Registry(), defaultMetrics: false, exemplars });
  return app;
}

function createRequests(headers: Readonly<Record<string, string>>) {
  return Array.from({ length: REQUESTS }, () => {
    const socket = new Socket();
    const request = Object.assign(new IncomingMessage(socket), { method: 'GET', url: '/' });
    Object.assign(request.headers, { host: 'localhost', ...headers });
    return { request, response: Object.assign(new ServerResponse(request), { socket }) };
  });
}

/** CPU time of one request to `app`, in nanoseconds. */
function measure(app: Express, headers: Readonly<Record<string, string>>): number {
  const requests = createRequests(headers);
  // Not in the middle of the measurement.
  globalThis.gc?.({ type: 'minor' });
  const before = process.cpuUsage();
  for (const { request, response } of requests) app(request, response);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / REQUESTS;
}

const cases = [
  ['without a trace', {}, ROOT_CONTEXT],
  ['with a traceparent', { traceparent: `00-${TRACE_ID}-${PARENT_ID}-01` }, ROOT_CONTEXT],
  ['in an OpenTelemetry span', {}, inSpan],
] as const;

const off = createApp(false);
const twin = createApp(false);
const on = createApp(true);
const quartile = (values: readonly number[], at: number) =>
  (values.toSorted((a, b) => a - b)[Math.floor(values.length * at)] ?? Number.NaN).toFixed(0);

const rows = cases.map(([name, headers, active]) => {
  const more: { on: number[]; twin: number[] } = { on: [], twin: [] };
  const without: number[] = [];
  context.with(active, () => {
    for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
      // Each goes first in turn.
      const order = [off, twin, on];
      const turn = ((round % 3) + 3) % 3;
      const ns = new Map(
        [...order.slice(turn), ...order.slice(0, turn)].map((app) => [app, measure(app, headers)]),
      );
      if (round < 0) continue;
      const base = ns.get(off) as number;
      without.push(base);
      more.twin.push((ns.get(twin) as number) - base);
      more.on.push((ns.get(on) as number) - base);
    }
  });
  return {
    requests: name,
    'off, ns': median(without).toFixed(0),
    'on, ns more': median(more.on).toFixed(0),
    'quartiles of on': `${quartile(more.on, 0.25)} to ${quartile(more.on, 0.75)}`,
    'another off, ns more': median(more.twin).toFixed(0),
  };
});
report(
  'middleware-exemplars',
  rows,
  `CPU time of a request through the instrumentation alone, without a connection and a router, in blocks of ${REQUESTS}, for ${ROUNDS} rounds of the three applications in turn. Medians of the differences within a round.
The last column is what this cannot distinguish: the difference of two applications without exemplars.`,
  ['express', '@opentelemetry/api'],
);
