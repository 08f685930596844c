/**
 * The compared ways to instrument an Express application, each as in its documentation, with the same buckets. Only the variant that
 * uses a package loads it, so that startup time and memory are its own.
 */
import type { RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import type * as successor from '@prometheus-io/client';
import type { Express, RequestHandler } from 'express';
import { BUCKETS } from '../lib/buckets.ts';
import { byHand } from './by-hand.ts';

const buckets = [...BUCKETS];

export interface Variant {
  /** The name in the table. */
  readonly title: string;
  /** Packages whose versions are listed with the table. */
  readonly packages: readonly string[];
  /** Required options of Node. */
  readonly nodeOptions?: readonly string[];
  /** Called before `app` has its routes. @returns the listener for scrapes; undefined if there is nothing to scrape */
  readonly instrument: (app: Express) => Promise<RequestListener | undefined>;
}

/** `middleware`, mounted first, and the exposition of prom-client's global registry. */
async function mounted(app: Express, middleware: RequestHandler): Promise<RequestListener> {
  const { register } = await import('prom-client');
  app.use(middleware);
  return (_request, response) => void register.metrics().then((text: string) => response.end(text));
}

/** By the argument of `server.ts`, in the order of the tables. */
export const variants = {
  bare: { title: 'bare Express', packages: ['express'], instrument: async () => undefined },
  package: {
    title: 'express-exact-metrics',
    packages: [],
    async instrument(app) {
      const { instrument } = await import('express-exact-metrics');
      return instrument(app, { bucketsSeconds: buckets }).handler;
    },
  },
  'prom-client': {
    title: 'prom-client by hand',
    packages: ['prom-client'],
    instrument: async (app) => byHand((await import('prom-client')) as unknown as typeof successor, app),
  },
  successor: {
    title: '@prometheus-io/client by hand',
    packages: ['@prometheus-io/client'],
    instrument: async (app) => byHand(await import('@prometheus-io/client'), app),
  },
  'api-metrics': {
    title: 'prometheus-api-metrics',
    packages: ['prometheus-api-metrics'],
    instrument(app) {
      // It inspects the module that required it, so it cannot be imported.
      const { expressMiddleware } = createRequire(import.meta.url)(
        'prometheus-api-metrics',
      ) as typeof import('prometheus-api-metrics');
      return mounted(app, expressMiddleware({ durationBuckets: buckets }));
    },
  },
  bundle: {
    title: 'express-prom-bundle',
    packages: ['express-prom-bundle'],
    async instrument(app) {
      const { default: promBundle } = await import('express-prom-bundle');
      const options = { autoregister: false, includeMethod: true, includePath: true, buckets };
      return mounted(app, promBundle({ ...options, promClient: { collectDefaultMetrics: {} } }));
    },
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
/** The packages whose versions are listed with the tables. */
export const packages = Object.values(variants).flatMap((variant) => [...variant.packages]);

/** The variant called `name`. @throws if there is none */
export function variantOf(name: string | undefined): Variant {
  const variant = variantNames.find((known) => known === name);
  if (!variant) throw new Error(`expected ${variantNames.join(', ')}, got ${JSON.stringify(name)}`);
  return variants[variant];
}
