/** Assembles the API from its parts. Builds and never listens. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import express, { type Express, type RequestHandler } from 'express';
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
  readonly log: Logger;
  readonly simulation?: Simulation;
  /** Answers `/metrics`, uncounted; without it that path is not found. */
  readonly exposition?: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
}

/** The API as an Express application. @throws when `metrics` lacks a row of `routes` */
export function createApp({ routes, metrics, log, simulation, exposition }: AppParts): Express {
  const instrument = createInstrument(metrics);
  const app = express();
  app.enable('case sensitive routing').enable('strict routing');
  // No ETags: a conditional GET would be answered 304, which no route declares, and each response would be hashed.
  app.disable('etag').disable('x-powered-by');
  // Before the instrument, so that a scrape is not counted.
  if (exposition) app.all('/metrics', exposition);
  app.use(instrument.middleware);
  const simulate = simulation ? [createSimulator(simulation)] : [];
  mountRoutes(app, routes, (path, method) => [instrument.matched(path, method), ...simulate]);
  app.use(notFound);
  app.use(createErrorHandler(log));
  return app;
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
