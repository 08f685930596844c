// A server in which the OpenTelemetry SDK traces requests, set up according to its documentation. Answers one request and prints
// its server span and the exemplars.
import { once } from 'node:events';
import { createRequire } from 'node:module';
import process from 'node:process';
import { context, propagation, SpanKind, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import express from 'express';
import { instrument } from 'express-exact-metrics';

const exporter = new InMemorySpanExporter();
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
propagation.setGlobalPropagator(new W3CTraceContextPropagator());
trace.setGlobalTracerProvider(
  new TracerProvider({
    sampler: process.argv.includes('unsampled') ? new AlwaysOffSampler() : new AlwaysOnSampler(),
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  }),
);
new HttpInstrumentation().enable();
createRequire(import.meta.url)('node:http');

const app = express();
const metrics = instrument(app, { exemplars: true, defaultMetrics: false });
app.get('/slow', async (_request, response) => {
  await trace.getTracer('shop').startActiveSpan('query', async (span) => {
    await new Promise(setImmediate);
    span.end();
  });
  response.send('done');
});
const server = app.listen(0, '127.0.0.1');
const exposition = metrics.listen(0, '127.0.0.1');
await Promise.all([once(server, 'listening'), once(exposition, 'listening')]);
const headers = {
  accept: 'application/openmetrics-text',
  ...(process.argv.includes('joined') && { traceparent: `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01` }),
};
await fetch(`http://127.0.0.1:${server.address().port}/slow`, { headers });
const text = await (await fetch(`http://127.0.0.1:${exposition.address().port}`, { headers })).text();
const spans = exporter.getFinishedSpans().filter(({ kind }) => kind === SpanKind.SERVER);
process.stdout.write(
  JSON.stringify({
    spans: spans
      .filter(({ attributes }) => JSON.stringify(attributes).includes('/slow'))
      .map((span) => span.spanContext().traceId),
    exemplars: [...text.matchAll(/ # \{trace_id="(\w+)"\}/g)].map(([, id]) => id),
  }),
);
process.exit(0);
