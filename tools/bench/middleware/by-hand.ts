/** The code of a careful user of a client library: the same four metrics, and a middleware that updates them. */
import type { RequestListener } from 'node:http';
import type * as successor from '@prometheus-io/client';
import type { Express, RequestHandler } from 'express';
import { BUCKETS } from '../lib/buckets.ts';

type Labels = Record<'path' | 'method' | 'code', string>;

/**
 * @param library prom-client or its successor, which has stricter types
 * @param zeros durations that are exposed before the first request
 */
export function byHand(
  library: typeof successor,
  app: Express,
  zeros: readonly Labels[] = [],
  registry = new library.Registry(),
): RequestListener {
  library.collectDefaultMetrics({ register: registry });
  const options = <Label extends string>(name: string, ...labelNames: Label[]) => ({
    name,
    help: name,
    labelNames,
    registers: [registry],
  });
  const requests = new library.Counter(options('http_requests_total', 'path', 'method'));
  const errors = new library.Counter(options('http_errors_total', 'code'));
  const inProgress = new library.Gauge(options('inprogress_requests'));
  const duration = new library.Histogram({
    ...options('http_request_duration_seconds', 'path', 'method', 'code'),
    buckets: [...BUCKETS],
  });
  for (const labels of zeros) duration.zero(labels);
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
