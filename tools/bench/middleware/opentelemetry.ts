/**
 * OpenTelemetry, configured for metrics in Prometheus as in its documentation, with the one part of tracing that its metrics need: a
 * context, through which the Express instrumentation passes the route to the HTTP instrumentation. Loaded before everything else:
 * `node --import ./opentelemetry.ts`.
 */
import { createRequire } from 'node:module';
import { context, metrics } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { ExpressInstrumentation } from '@opentelemetry/instrumentation-express';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { AggregationType, MeterProvider } from '@opentelemetry/sdk-metrics';
import { BUCKETS } from '../lib/buckets.ts';

export const exporter = new PrometheusExporter({ preventServerStart: true });

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
metrics.setGlobalMeterProvider(
  new MeterProvider({
    readers: [exporter],
    views: [
      {
        instrumentName: 'http.server.request.duration',
        aggregation: {
          type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM,
          options: { boundaries: [...BUCKETS] },
        },
      },
    ],
  }),
);
for (const instrumentation of [new HttpInstrumentation(), new ExpressInstrumentation()])
  instrumentation.enable();

// Express is patched by `require`; only an experimental loader would notice an import.
createRequire(import.meta.url)('express');
