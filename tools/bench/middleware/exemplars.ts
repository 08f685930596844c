/**
 * The CPU time of exemplars per request, in process: with a server, a request takes a thousand times as long. Applications with and
 * without exemplars get the same requests in turn, in an OpenTelemetry span and without one.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { Registry } from '@prometheus-io/client';
import express from 'express';
import { instrument } from 'express-exact-metrics';
import { median, quick, report } from '../lib/report.ts';

const ROUNDS = quick ? 500 : 1_500;
const PROCESSES = quick ? 3 : 11;
const WARM_UP_ROUNDS = 500;
const REQUESTS = 300;
const TRACE_ID = 'ab'.repeat(16);
const PARENT_ID = 'cd'.repeat(8);

const span = trace.wrapSpanContext({ traceId: TRACE_ID, spanId: PARENT_ID, traceFlags: 1 });
const inSpan = trace.setSpan(ROOT_CONTEXT, span);

interface Application {
  handle(request: object, response: Response): void;
}

/** The part of a response that the instrumentation uses; Node's own takes ten times as long to create. */
class Response {
  readonly statusCode = 200;
  readonly statusMessage = 'OK';
  readonly writableLength = 0;
  readonly writableEnded = false;
  readonly socket = { destroyed: false };
  readonly req: object;

  constructor(req: object) {
    this.req = req;
  }

  emit(_event: string): boolean {
    return true;
  }
}

function createApp(exemplars: boolean) {
  const app = express();
  app.disable('x-powered-by');
  instrument(app, { registry: new Registry(), defaultMetrics: false, exemplars });
  // The event of a response that was passed to the operating system.
  app.get('/', (_request, response) => void response.emit('finish'));
  return app as unknown as Application;
}

/** The CPU time of one request to `app`, in nanoseconds. */
function measure(app: Application, headers: Readonly<Record<string, string>>): number {
  const before = process.cpuUsage();
  for (let i = 0; i < REQUESTS; i++) {
    const request = { method: 'GET', url: '/', headers };
    app.handle(request, new Response(request));
  }
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / REQUESTS;
}

const cases = [
  ['without a trace', {}, ROOT_CONTEXT],
  ['with a traceparent', { traceparent: `00-${TRACE_ID}-${PARENT_ID}-01` }, ROOT_CONTEXT],
  ['in an OpenTelemetry span', {}, inSpan],
] as const;

/** The tenth percentile: other work of the machine only ever adds time. */
const LOWEST = 0.1;
const lowest = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * LOWEST)] ?? Number.NaN;

/** Code is optimised for the first application, which is therefore faster than the others: it is not compared. */
const names = ['first', 'off', 'on', 'off again'] as const;

interface Result {
  readonly off: number;
  readonly more: number;
  readonly noise: number;
}

/** In one process: the time without exemplars, the additional time with them, and the difference between the two applications without. */
function compare([, headers, active]: (typeof cases)[number]): Result {
  if (active === inSpan) context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const apps = new Map(names.map((app) => [app, createApp(app === 'on')]));
  const measured = new Map(names.map((app) => [app, [] as number[]]));
  context.with(active, () => {
    for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
      // Each goes first in turn, and after each of its neighbours equally often.
      for (let i = 0; i < names.length; i++) {
        const place = round % 2 === 0 ? round / 2 + i : (round + 1) / 2 + names.length - i;
        const app = names[place % names.length] as (typeof names)[number];
        const ns = measure(apps.get(app) as Application, headers);
        if (round >= WARM_UP_ROUNDS) measured.get(app)?.push(ns);
      }
    }
  });
  const [, off = 0, on = 0, again = 0] = names.map((app) => lowest(measured.get(app) ?? []));
  const none = (off + again) / 2;
  return { off: none, more: on - none, noise: Math.abs(again - off) };
}

const [chosen] = process.argv.slice(2).filter((word) => /^\d$/.test(word));
if (chosen !== undefined) {
  process.stdout.write(JSON.stringify(compare(cases[Number(chosen)] as (typeof cases)[number])));
} else {
  const words = quick ? ['--quick'] : [];
  const results = cases.map((_, i) =>
    Array.from({ length: PROCESSES }, () => {
      const run = [fileURLToPath(import.meta.url), `${i}`, ...words];
      return JSON.parse(execFileSync(process.execPath, run, { encoding: 'utf8' })) as Result;
    }),
  );
  const cell = (values: readonly number[]) =>
    `${median(values).toFixed(0)} (${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)})`;
  report(
    'middleware-exemplars',
    results.map((of, i) => ({
      requests: cases[i]?.[0] ?? '',
      'off, ns': cell(of.map(({ off }) => off)),
      'on, ns more': cell(of.map(({ more }) => more)),
      'noise, ns': cell(of.map(({ noise }) => noise)),
    })),
    `CPU time of a request through Express and the instrumentation, without a connection: the lowest tenth of ${ROUNDS.toLocaleString('en')} blocks of ${REQUESTS} requests to each application, in turn.
Medians and ranges of ${PROCESSES} processes, because each process compiles the same code differently. "Off" is the mean of two applications, and "noise" their difference.`,
    ['express', '@opentelemetry/api'],
  );
}
