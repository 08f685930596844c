/** A server for only the exposition and health checks. Its limits are those that Node provides. */
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { guard, isBoolean } from './user-function.ts';

export interface ListenOptions {
  /** Default: all interfaces. */
  readonly host?: string | undefined;
  /** Whether the application accepts traffic: `/readyz` returns 200 or 503. Without this function, `/readyz` returns 404. */
  readonly isReady?: (() => boolean) | undefined;
}

/** @param options an object, or just the host */
export function listen(
  exposition: RequestListener,
  port: number,
  options: string | ListenOptions,
  warn: (message: string) => void,
): Server {
  const { host, isReady }: ListenOptions = typeof options === 'string' ? { host: options } : options;
  const readiness =
    isReady &&
    guard(isReady, isBoolean, (got) =>
      warn(`isReady: expected true or false, got ${got}; the server is not ready`),
    );
  const server = createServer({
    // A scrape has neither a body nor large headers: a client that needs longer holds connections open on purpose.
    headersTimeout: 10_000,
    requestTimeout: 10_000,
    // With Node's default of 30 s, both could last four times as long.
    connectionsCheckingInterval: 2_000,
    // Longer than a usual scrape interval: with Node's 5 s, a scraper with an interval of 5 s would find its connection
    // closed just as it sends a request, and would report the target as down.
    keepAliveTimeout: 65_000,
  });
  const respond: RequestListener = (request, response) => {
    const path = request.url?.split('?')[0];
    if (path === '/' || path === '/metrics') return exposition(request, response);
    if (path !== '/healthz' && !(path === '/readyz' && readiness)) return answer(response, 404, 'not found');
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return answer(response.setHeader('Allow', 'GET, HEAD'), 405, 'method not allowed');
    const isHealthy = path === '/healthz' || readiness?.(undefined) === true;
    return answer(response, isHealthy ? 200 : 503, isHealthy ? 'ok' : 'not ready');
  };
  // An `Expect` that Node does not know may be ignored (RFC 9110, 10.1.1).
  return server.on('request', respond).on('checkExpectation', respond).listen(port, host);
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8').end(`${body}\n`);
}
