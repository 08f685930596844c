/** What the HTTP servers of the process have in common: timeouts with a reason, safe headers, bounds on what clients cost. */
import { once } from 'node:events';
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
  const server = createHttpServer({
    // Headers are small: a client that needs longer for them holds connections open on purpose.
    headersTimeout: 10_000,
    // The bodies of this API are small too, and Node's default of five minutes helps only the slow attacker.
    requestTimeout: 30_000,
    // Node's default of 30 s would let the two above be four and two times as long.
    connectionsCheckingInterval: 2_000,
    // Longer than any usual proxy's idle time: with Node's 5 s, a client finds its connection closed just as it sends.
    keepAliveTimeout: 65_000,
    // With more than this not taken, Node reads no further; the answers are small, and there may be a thousand connections.
    highWaterMark: 16_384,
  });
  // Node answers 417 to an `Expect` that it does not know, behind the handler's back. RFC 9110 (10.1.1) allows to ignore
  // it, and then such a request is counted like every other.
  return harden(server.on('request', answer).on('checkExpectation', answer));
}

/** Adds what every server of the process has to `server`, which has no connections yet. @returns `server` */
export function harden(server: Server): Server {
  const prepare: RequestListener = (request, response) => {
    for (const [name, value] of SAFE_HEADERS) response.setHeader(name, value);
    // Express asks Node's old parser, which reports such a target on standard error, in the client's own words.
    if (request.url?.[0] !== '/' && !URL.canParse(request.url ?? '')) request.url = '/not-a-target';
  };
  server.prependListener('request', prepare).prependListener('checkExpectation', prepare);
  protect(server);
  watchConnections(server);
  return server;
}

/**
 * Waits until `server` listens.
 * @returns its port
 * @throws Error that names `name` and `port`, which it was asked to listen on
 */
export async function listening(server: Server, port: number, name: string): Promise<number> {
  try {
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'EADDRINUSE' ? 'the port is already in use' : message;
    throw new Error(`${name} cannot listen on port ${port}: ${reason}`);
  }
}
