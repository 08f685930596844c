/** Assembles the API from its parts. Builds and never listens. */
import express, { type Express, type RequestHandler } from 'express';
import { instrument, type Metrics } from 'express-exact-metrics';
import type { Logger } from 'pino';
import { createErrorHandler, notFound } from './errors.ts';
import { mountRoutes } from './mount-routes.ts';
import { createAccessLog } from './request-log.ts';
import { parameters, type Route } from './routes.ts';
import type { SimulatedOutcome, Simulation } from './simulation.ts';

export interface AppParts {
  readonly routes: readonly Route[];
  readonly log: Pick<Logger, 'error' | 'info'>;
  readonly simulation?: Simulation;
  /** Whether `/metrics` answers the exposition; otherwise that path is not found. */
  readonly metricsOnApiPort?: boolean;
  /** Lines of the access log; 0 is none. */
  readonly accessLogLinesPerSecond?: number;
}

export interface App {
  readonly app: Express;
  readonly metrics: Metrics;
}

export function createApp({
  routes,
  log,
  simulation,
  metricsOnApiPort = false,
  accessLogLinesPerSecond = 0,
}: AppParts): App {
  const app = express();
  const metrics = instrument(app, {
    // The labs call it `products`.
    pathLabel: (template) => template.slice(1),
    nativeHistograms: true,
    codes: Object.fromEntries(
      routes.map(({ method, path, code }) => [`${method.toUpperCase()} ${path}`, [code]]),
    ),
  });
  app.enable('case sensitive routing').enable('strict routing');
  // No ETags: a conditional GET would be answered 304, which no route declares, and each response would be hashed.
  app.disable('etag').disable('x-powered-by');
  // And none for who asks by `If-None-Match: *`, which Express takes for a match with anything.
  Object.defineProperty(app.request, 'fresh', { value: false });
  // A handler of its own: clients of the API must not be able to use up the scrapes that Prometheus needs, and that one of
  // them looks does not mean that Prometheus has.
  if (metricsOnApiPort) app.all('/metrics', metrics.createHandler({ isPublic: true }));
  if (accessLogLinesPerSecond > 0) app.use(createAccessLog(log, accessLogLinesPerSecond));
  mountRoutes(app, routes, simulation ? [createSimulator(simulation)] : [], parameters);
  app.use(notFound);
  app.use(createErrorHandler(log));
  return { app, metrics };
}

function createSimulator(simulation: () => SimulatedOutcome): RequestHandler {
  return (_request, response, next) => {
    const { delayMs, fails } = simulation();
    const proceed = fails
      ? () => void response.status(500).type('text/plain').send('simulated error')
      : () => next();
    if (delayMs > 0) setTimeout(proceed, delayMs);
    else proceed();
  };
}
