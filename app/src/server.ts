/** The life of an HTTP server: timeouts with a reason, a start that fails with a message, a stop that drains. */
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** How often connections that have become idle are closed while a server drains, in milliseconds. */
const DRAIN_CHECK_MS = 50;

/** The open connections of each server, for {@link drain}. */
const connections = new WeakMap<Server, Set<Socket>>();

/** A server that does not listen yet. */
export function createServer(handler: RequestListener): Server {
  const server = createHttpServer({
    // Headers are small; who needs longer for them is holding connections open on purpose.
    headersTimeout: 10_000,
    // The bodies of this API are small too, and Node's default of five minutes helps only the slow attacker.
    requestTimeout: 30_000,
    // Longer than any usual scrape interval or proxy's idle time: with Node's 5 s, a scraper that comes every 5 s
    // finds its connection closed just as it sends, and reports the target down.
    keepAliveTimeout: 65_000,
  });
  server.on('request', handler);
  // Node answers 417 to an `Expect` that it does not know, behind the handler's back. RFC 9110 (10.1.1) allows to ignore
  // it, and then such a request is counted like every other.
  server.on('checkExpectation', handler);
  const open = new Set<Socket>();
  connections.set(server, open);
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
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

/**
 * Stops a server of {@link createServer}: accepts nothing more, lets the requests in progress end, closes each connection
 * as soon as it is idle, and cuts what is left after `graceMs`.
 * @returns whether all requests ended in time
 */
export async function drain(server: Server, graceMs: number): Promise<boolean> {
  const closed = new Promise<boolean>((resolve) => server.close(() => resolve(true)));
  // Before the handler, while the headers can still be changed: this connection is not to be used again.
  server.prependListener('request', (_request, response) => response.setHeader('Connection', 'close'));
  // Node does not count a connection as idle that has never sent anything, such as a browser opens in advance.
  for (const socket of connections.get(server) ?? []) if (socket.bytesRead === 0) socket.destroy();
  const idle = setInterval(() => server.closeIdleConnections(), DRAIN_CHECK_MS);
  const grace = new AbortController();
  const drained = await Promise.race([closed, delay(graceMs, false, { signal: grace.signal })]);
  grace.abort();
  clearInterval(idle);
  server.closeAllConnections();
  await closed;
  return drained;
}
