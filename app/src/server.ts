/** What all HTTP servers of the process share: timeouts, safe headers, and limits on the resources of clients. */
import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { protect } from 'express-exact-metrics';
import { watchConnections } from './drain.ts';

/** Headers of every response: browsers must not guess its type, and it must not load anything or be framed. */
const SAFE_HEADERS = [
  ['X-Content-Type-Options', 'nosniff'],
  ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'"],
] as const;

/** Creates a server that does not listen yet. */
export function createServer(answer: RequestListener): Server {
  const server = createHttpServer({
    // Headers are small, so a client that needs longer holds connections open on purpose.
    headersTimeout: 10_000,
    // Bodies are small too, and Node's default of five minutes would only help an attacker that sends slowly.
    requestTimeout: 30_000,
    // With Node's default of 30 s, the two timeouts above could take four times and twice as long.
    connectionsCheckingInterval: 2_000,
    // Longer than the idle time of common proxies: with Node's 5 s, a connection could be closed just as a client sends a request.
    keepAliveTimeout: 65_000,
    // Node stops reading from a connection that has more unsent data. Responses are small, and there may be a thousand connections.
    highWaterMark: 16_384,
  });
  // By default, Node responds with 417 to an unknown `Expect` without calling the handler. RFC 9110 (10.1.1) allows servers to
  // ignore it, which counts such requests like all others.
  return harden(server.on('request', answer).on('checkExpectation', answer));
}

/** Adds the shared behaviour to `server`, which must not have connections yet. @returns `server` */
export function harden(server: Server): Server {
  const prepare: RequestListener = (request, response) => {
    for (const [name, value] of SAFE_HEADERS) response.setHeader(name, value);
    // Without this, Express would call Node's legacy parser, which prints such targets, with text from the client, to standard
    // error.
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
 * @throws Error with `name` and `port` if it cannot listen
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
