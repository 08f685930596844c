/** Assembles the API from its parts. Builds and never listens. */
import type { RequestListener } from 'node:http';
import express, { type RequestHandler } from 'express';
import type { Logger } from 'pino';
import { createErrorHandler, notFound } from './errors.ts';
import { createInstrument } from './instrumentation/instrument.ts';
import type { RequestMetrics } from './instrumentation/metrics.ts';
import { mountRoutes, type RouteGroup } from './instrumentation/route-table.ts';
import type { Fate, Simulation } from './simulation.ts';

export interface AppParts {
  readonly routes: RouteGroup;
  /** Created from the same `routes`. */
  readonly metrics: RequestMetrics;
  readonly log: Pick<Logger, 'error'>;
  readonly simulation?: Simulation;
  /** Answers `/metrics`, uncounted; without it that path is not found. */
  readonly exposition?: RequestListener | undefined;
}

/** The API as a listener for an HTTP server. @throws when `metrics` lacks a row of `routes` */
export function createApp({ routes, metrics, log, simulation, exposition }: AppParts): RequestListener {
  const instrument = createInstrument(metrics);
  const app = express();
  app.enable('case sensitive routing').enable('strict routing');
  // No ETags: a conditional GET would be answered 304, which no route declares, and each response would be hashed.
  app.disable('etag').disable('x-powered-by');
  const simulate = simulation ? [createSimulator(simulation)] : [];
  mountRoutes(app, routes, (path, method) => [instrument.matched(path, method), ...simulate]);
  app.use(notFound);
  app.use(createErrorHandler(log));

  const counted = instrument.around(app);
  if (!exposition) return counted;
  // Before the instrument, so that a scrape is not counted.
  return (request, response) => {
    const isScrape = request.url === '/metrics' || request.url?.startsWith('/metrics?');
    return isScrape ? exposition(request, response) : counted(request, response);
  };
}

function createSimulator(simulation: () => Fate): RequestHandler {
  return (_request, response, next) => {
    const { delayMs, fails } = simulation();
    const proceed = fails
      ? () => void response.status(500).type('text/plain').send('simulated error')
      : () => next();
    if (delayMs > 0) setTimeout(proceed, delayMs);
    else proceed();
  };
}
