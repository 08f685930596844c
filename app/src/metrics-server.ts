/** The handler of the metrics port: the exposition, liveness and readiness. Nothing here is counted as a request. */
import type { RequestListener, ServerResponse } from 'node:http';

export interface MetricsServerParts {
  readonly exposition: RequestListener;
  /** Whether the API takes traffic now. */
  readonly isReady: () => boolean;
}

/** Answers `/` and `/metrics` (exposition), `/healthz`, `/readyz` (200 or 503), and 404 or 405 for the rest. */
export function createMetricsHandler({ exposition, isReady }: MetricsServerParts): RequestListener {
  return (request, response) => {
    const path = request.url?.split('?')[0];
    if (path === '/' || path === '/metrics') return exposition(request, response);
    if (path !== '/healthz' && path !== '/readyz') return answer(response, 404, 'not found');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return answer(response.setHeader('Allow', 'GET, HEAD'), 405, 'method not allowed');
    }
    const ready = path === '/healthz' || isReady();
    return answer(response, ready ? 200 : 503, ready ? 'ok' : 'not ready');
  };
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8').end(`${body}\n`);
}
