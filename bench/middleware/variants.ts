/** The applications that are compared: the same routes and answers, instrumented in different ways. */
import type { RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import express, { type Express, type RequestHandler } from 'express';
import promBundle from 'express-prom-bundle';
import * as promClient from 'prom-client';
import { Counter, Gauge, Registry } from 'prom-client';
import * as successor from 'prometheus-io-client';
import { createApp } from '../../app/src/app.ts';
import { notFound } from '../../app/src/errors.ts';
import { routes } from '../../app/src/routes.ts';

/** This package looks for the module that required it, so it cannot be imported. */
const { expressMiddleware: apiMetrics } = createRequire(import.meta.url)(
  'prometheus-api-metrics',
) as typeof import('prometheus-api-metrics');

/** Handlers that run before a route's own. */
type Before = (path: string, method: string) => readonly RequestHandler[];

/** The lab's own way: a counter in each handler, one for 404s, a gauge around everything. No histogram, no aborts. */
function byHand(): Express {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'Total number of requests',
    labelNames: ['path', 'method'],
    registers,
  });
  const errors = new Counter({
    name: 'http_errors_total',
    help: 'Total number of errors',
    labelNames: ['code'],
    registers,
  });
  const inProgress = new Gauge({
    name: 'inprogress_requests',
    help: 'Total number of requests in progress',
    registers,
  });
  const around: RequestHandler = (_request, response, next) => {
    inProgress.inc();
    response.on('finish', () => inProgress.dec());
    next();
  };
  const missing: RequestHandler = (request, response, next) => {
    errors.inc({ code: '404' });
    notFound(request, response, next);
  };
  const count: Before = (path, method) => [
    (_request, _response, next) => {
      requests.inc({ path, method });
      next();
    },
  ];
  return build([around], count, missing, () => registry.metrics());
}

/** The contract's four metrics with a client library called on every request: the usual code, and what it costs. */
function calling(library: typeof successor): Express {
  const registry = new library.Registry();
  library.collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new library.Counter({
    name: 'http_requests_total',
    help: 'r',
    labelNames: ['path', 'method'],
    registers,
  });
  const errors = new library.Counter({
    name: 'http_errors_total',
    help: 'e',
    labelNames: ['code'],
    registers,
  });
  const inProgress = new library.Gauge({ name: 'inprogress_requests', help: 'i', registers });
  const duration = new library.Histogram({
    name: 'http_request_duration_seconds',
    help: 'd',
    labelNames: ['path', 'method', 'code'],
    registers,
  });
  const around: RequestHandler = (request, response, next) => {
    const startedMs = performance.now();
    inProgress.inc();
    response.on('close', () => {
      inProgress.dec();
      const { path = 'unmatched' } = response.locals;
      const method = request.method.toLowerCase();
      if (path !== 'unmatched') requests.inc({ path, method });
      if (response.statusCode >= 400) errors.inc({ code: String(response.statusCode) });
      duration.observe(
        { path, method, code: String(response.statusCode) },
        (performance.now() - startedMs) / 1000,
      );
    });
    next();
  };
  const mark: Before = (path) => [
    (_request, response, next) => {
      response.locals.path = path;
      next();
    },
  ];
  return build([around], mark, notFound, () => registry.metrics());
}

const ours = (): RequestListener =>
  createApp({ routes, metricsOnApiPort: true, log: { error: () => undefined } }).app;

function build(
  first: RequestHandler[],
  before: Before,
  last: RequestHandler,
  metrics?: () => Promise<string>,
): Express {
  const app = base();
  if (metrics)
    app.get('/metrics', async (_request, response) => void response.type('text/plain').send(await metrics()));
  if (first.length > 0) app.use(...first);
  for (const { method, path, handler } of routes) {
    app[method](path, ...before(path.slice(1), method), handler);
  }
  return app.use(last);
}

function base(): Express {
  return express()
    .enable('case sensitive routing')
    .enable('strict routing')
    .disable('etag')
    .disable('x-powered-by');
}

/** By name, in the order of the table. */
export const variants: Readonly<Record<string, () => RequestListener>> = {
  'bare Express': () => build([], () => [], notFound),
  'this instrument': ours,
  'by hand, as in the lab': byHand,
  'prom-client on every request': () => calling(promClient as unknown as typeof successor),
  '@prometheus-io/client on every request': () => calling(successor),
  'prometheus-api-metrics': () => build([apiMetrics()], () => [], notFound),
  'express-prom-bundle': () =>
    build(
      [promBundle({ includeMethod: true, includePath: true, promClient: { collectDefaultMetrics: {} } })],
      () => [],
      notFound,
    ),
};
