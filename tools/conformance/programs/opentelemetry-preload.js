/** `node --import ./opentelemetry-preload.js opentelemetry.cjs`: the metrics setup of NodeSDK, built from its parts. */
import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { ExpressInstrumentation } from '@opentelemetry/instrumentation-express';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { MeterProvider } from '@opentelemetry/sdk-metrics';

const port = Number(process.env.METRICS_PORT);
const exporter = new PrometheusExporter({ host: '127.0.0.1', port }, () => console.log(`metrics on ${port}`));
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
registerInstrumentations({
  meterProvider: new MeterProvider({ readers: [exporter] }),
  instrumentations: [new HttpInstrumentation(), new ExpressInstrumentation()],
});
