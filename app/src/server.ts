/** An HTTP server: timeouts with a reason, and a start that fails with a message. */
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { protect } from 'express-exact-metrics';
import { watchConnections } from './drain.ts';

/** Of every answer: it is what its type says, and a browser that shows it as a page loads and frames nothing with it. */
const SAFE_HEADERS = [
  ['X-Content-Type-Options', 'nosniff'],
  ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'"],
] as const;

/** A server that does not listen yet. */
export function createServer(answer: RequestListener): Server {
  const handler: RequestListener = (request, response) => {
    for (const [name, value] of SAFE_HEADERS) response.setHeader(name, value);
    // Express asks Node's old parser, which tells of such a target on standard error, in the client's own words.
    if (request.url?.[0] !== '/' && !URL.canParse(request.url ?? '')) request.url = '/not-a-target';
    answer(request, response);
  };
  const server = createHttpServer({
    // Headers are small; who needs longer for them is holding connections open on purpose.
    headersTimeout: 10_000,
    // The bodies of this API are small too, and Node's default of five minutes helps only the slow attacker.
    requestTimeout: 30_000,
    // Node's default of 30 s would let the two above be four and two times as long.
    connectionsCheckingInterval: 2_000,
    // Longer than any usual scrape interval or proxy's idle time: with Node's 5 s, a scraper that comes every 5 s
    // finds its connection closed just as it sends, and reports the target down.
    keepAliveTimeout: 65_000,
    // With more than this not taken, Node reads no further; the answers are small, and there may be a thousand connections.
    highWaterMark: 16_384,
  });
  server.on('request', handler);
  // Node answers 417 to an `Expect` that it does not know, behind the handler's back. RFC 9110 (10.1.1) allows to ignore
  // it, and then such a request is counted like every other.
  server.on('checkExpectation', handler);
  protect(server);
  watchConnections(server);
  return server;
}

/**
 * Listens on all interfaces.
 * @param port 0 lets the system choose
 * @returns the port
 * @throws Error that names `name` and the port
 */
export function listen(server: Server, port: number, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? 'the port is already in use' : error.message;
      reject(new Error(`${name} cannot listen on port ${port}: ${reason}`));
    };
    server.once('error', fail).listen(port, () => {
      server.off('error', fail);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
