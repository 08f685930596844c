/** What is compared: ways to instrument an Express application, each as its documentation says, with the same buckets. */
import type { RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import type { Express, RequestHandler } from 'express';
import { DURATION_BUCKETS_SECONDS, instrument } from 'express-exact-metrics';
import promBundle from 'express-prom-bundle';
import * as promClient from 'prom-client';
import * as successor from 'prometheus-io-client';

/** This package looks for the module that required it, so it cannot be imported. */
const { expressMiddleware: apiMetrics } = createRequire(import.meta.url)(
  'prometheus-api-metrics',
) as typeof import('prometheus-api-metrics');

const buckets = [...DURATION_BUCKETS_SECONDS];

export interface Variant {
  /** What the table calls it. */
  readonly title: string;
  /** Packages whose versions the table names. */
  readonly packages: readonly string[];
  /** Options of Node that it needs. */
  readonly nodeOptions?: readonly string[];
  /** Called before `app` has its routes. @returns what answers a scrape; undefined where there is nothing to scrape */
  readonly instrument: (app: Express) => Promise<RequestListener | undefined> | RequestListener | undefined;
}

/** The contract's four metrics with a client library called on every request: the usual code of a careful user. */
function byHand(library: typeof successor, app: Express): RequestListener {
  const registry = new library.Registry();
  library.collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new library.Counter({
    name: 'http_requests_total',
    help: 'Requests',
    labelNames: ['path', 'method'],
    registers,
  });
  const errors = new library.Counter({
    name: 'http_errors_total',
    help: 'Errors',
    labelNames: ['code'],
    registers,
  });
  const inProgress = new library.Gauge({ name: 'inprogress_requests', help: 'In progress', registers });
  const duration = new library.Histogram({
    name: 'http_request_duration_seconds',
    help: 'Duration',
    labelNames: ['path', 'method', 'code'],
    buckets,
    registers,
  });
  const around: RequestHandler = (request, response, next) => {
    const startedMs = performance.now();
    inProgress.inc();
    response.on('close', () => {
      inProgress.dec();
      const method = request.method.toLowerCase();
      const code = String(response.statusCode);
      const path = request.route ? request.baseUrl + request.route.path : 'unmatched';
      if (request.route) requests.inc({ path, method });
      if (response.statusCode >= 400) errors.inc({ code });
      duration.observe({ path, method, code }, (performance.now() - startedMs) / 1000);
    });
    next();
  };
  app.use(around);
  return (_request, response) => void registry.metrics().then((text: string) => response.end(text));
}

/** `middleware` mounted first, with the exposition of prom-client's global registry. */
function mounted(app: Express, middleware: RequestHandler): RequestListener {
  app.use(middleware);
  return (_request, response) =>
    void promClient.register.metrics().then((text: string) => response.end(text));
}

/** By the word that `server.ts` takes, in the order of the tables. */
export const variants = {
  bare: { title: 'bare Express', packages: ['express'], instrument: () => undefined },
  package: {
    title: 'express-exact-metrics',
    packages: [],
    instrument: (app) => instrument(app).handler,
  },
  'prom-client': {
    title: 'prom-client by hand',
    packages: ['prom-client'],
    instrument: (app) => byHand(promClient as unknown as typeof successor, app),
  },
  successor: {
    title: '@prometheus-io/client by hand',
    packages: ['prometheus-io-client'],
    instrument: (app) => byHand(successor, app),
  },
  'api-metrics': {
    title: 'prometheus-api-metrics',
    packages: ['prometheus-api-metrics'],
    instrument: (app) => mounted(app, apiMetrics({ durationBuckets: buckets })),
  },
  bundle: {
    title: 'express-prom-bundle',
    packages: ['express-prom-bundle'],
    instrument: (app) =>
      mounted(
        app,
        promBundle({
          autoregister: false,
          includeMethod: true,
          includePath: true,
          buckets,
          promClient: { collectDefaultMetrics: {} },
        }),
      ),
  },
  opentelemetry: {
    title: 'OpenTelemetry',
    packages: [
      '@opentelemetry/instrumentation-http',
      '@opentelemetry/instrumentation-express',
      '@opentelemetry/exporter-prometheus',
    ],
    nodeOptions: ['--import', new URL('./opentelemetry.ts', import.meta.url).pathname],
    async instrument() {
      const { exporter } = await import('./opentelemetry.ts');
      return (request, response) => exporter.getMetricsRequestHandler(request, response);
    },
  },
} as const satisfies Readonly<Record<string, Variant>>;

export type VariantName = keyof typeof variants;
export const variantNames = Object.keys(variants) as VariantName[];

/** The variant called `name`. @throws where there is none */
export function variantOf(name: string | undefined): Variant {
  const variant = variantNames.find((known) => known === name);
  if (!variant) throw new Error(`expected ${variantNames.join(', ')}, got ${JSON.stringify(name)}`);
  return variants[variant];
}
