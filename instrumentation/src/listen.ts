/** A server for the metrics alone: the exposition and a health check. Readiness is the application's to tell. */
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { protect } from './protection.ts';

export function listen(exposition: RequestListener, port: number, host?: string): Server {
  const server = createServer({
    // A scrape has neither a body nor large headers: who needs longer holds connections open on purpose.
    headersTimeout: 10_000,
    requestTimeout: 10_000,
    // Longer than a usual scrape interval: with Node's 5 s, a scraper that comes every 5 s finds its connection closed
    // just as it sends, and reports the target down.
    keepAliveTimeout: 65_000,
  });
  protect(server);
  server.on('request', (request, response) => {
    const path = request.url?.split('?')[0];
    if (path === '/' || path === '/metrics') return exposition(request, response);
    if (path !== '/healthz') return answer(response, 404, 'not found');
    if (request.method === 'GET' || request.method === 'HEAD') return answer(response, 200, 'ok');
    return answer(response.setHeader('Allow', 'GET, HEAD'), 405, 'method not allowed');
  });
  return server.listen(port, host);
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8').end(`${body}\n`);
}
