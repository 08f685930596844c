/** Assembles the API from its parts. Never listens. */
import { Registry } from '@prometheus-io/client';
import express, { type Express, type RequestHandler } from 'express';
import { instrument, type Metrics } from 'express-exact-metrics';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { createErrorHandler, notFound } from './errors.ts';
import { mountRoutes } from './mount-routes.ts';
import { createRelay } from './relay.ts';
import { createAccessLog } from './request-log.ts';
import type { Route } from './routes.ts';
import { createSimulation, type Simulation } from './simulation.ts';

/** @param relayPort in a worker: the port on which its primary serves the metrics of all workers */
export function createApp(
  config: Config,
  routes: readonly Route[],
  log: Pick<Logger, 'error' | 'info'>,
  relayPort?: number,
): { app: Express; metrics: Metrics } {
  const app = express();
  const metrics = instrument(app, {
    registry: new Registry(),
    // The labs use `products`.
    pathLabel: (template) => template.slice(1),
    nativeHistograms: true,
    skip: relayPort !== undefined && config.METRICS_ON_API_PORT ? ['/metrics'] : [],
    exemplars: true,
    codes: Object.fromEntries(
      routes.map(({ method, path, code }) => [`${method.toUpperCase()} ${path}`, [code]]),
    ),
  });
  app.enable('case sensitive routing').enable('strict routing');
  // No ETags: a conditional GET would get a 304, which no route declares, and each response would be hashed.
  app.disable('etag').disable('x-powered-by');
  // Also disabled for `If-None-Match: *`, which Express treats as a match.
  Object.defineProperty(app.request, 'fresh', { value: false });
  // A separate handler, because clients of the API must not use up the scrapes that Prometheus needs, and a scrape by one of them
  // does not count as the last scrape.
  if (config.METRICS_ON_API_PORT)
    app.all('/metrics', relayPort ? createRelay(relayPort) : metrics.createHandler({ isPublic: true }));
  const linesPerSecond = config.ACCESS_LOG_LINES_PER_SECOND;
  if (linesPerSecond > 0) app.use(createAccessLog(log, linesPerSecond));
  const simulation = createSimulation(config.SIMULATED_LATENCY_MS, config.SIMULATED_ERROR_RATIO);
  mountRoutes(app, routes, simulation ? [createSimulator(simulation)] : []);
  app.use(notFound);
  app.use(createErrorHandler(log));
  return { app, metrics };
}

function createSimulator(simulation: Simulation): RequestHandler {
  return (_request, response, next) => {
    const { delayMs, fails } = simulation();
    const proceed = fails
      ? () => void response.status(500).type('text/plain').send('simulated error')
      : () => next();
    if (delayMs > 0) setTimeout(proceed, delayMs);
    else proceed();
  };
}
