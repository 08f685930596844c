/**
 * Shuts down an HTTP server without losing a request: the server asks clients to close their connections while it still serves
 * them. A refused connection is harmless, because the client has sent nothing and can use another address. But if a connection is
 * cut during a request, the client does not know whether the request was handled.
 */
import type { Server } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';

/** How often a draining server checks its connections, in milliseconds. */
const CHECK_MS = 50;

/** After this time without a new connection, none is expected, in ms: longer than a client needs to open the next one. */
const QUIET_MS = 1_000;

/**
 * The server accepts new connections at most until the first share of the grace period has passed. Until the second, it waits for a
 * gap between two connections, because a connection that the kernel has opened but this process has not accepted is cut. The rest
 * of the period is for requests on these connections.
 */
const ACCEPTING_SHARE = 0.75;
const GAP_SHARE = 0.9;

/** How long a newly accepted connection may take to send its request, in milliseconds. */
const LINGER_MS = 250;

/** The open connections of a server, and the time at which the last one was opened. */
interface Connections {
  readonly open: Set<Socket>;
  lastMs: number;
}

const connections = new WeakMap<Server, Connections>();

/** Tracks the connections of `server`, which must not have any yet. */
export function watchConnections(server: Server): void {
  const own: Connections = { open: new Set(), lastMs: 0 };
  connections.set(server, own);
  server.on('connection', (socket) => {
    own.open.add(socket);
    own.lastMs = performance.now();
    socket.once('close', () => own.open.delete(socket));
  });
}

/**
 * Responds to all requests with `Connection: close` until no connection is left or most of the grace period is over; then calls
 * {@link close}. Idle connections get one more response in that time, because a request may already be on its way.
 * @returns whether all requests ended within `graceMs`
 */
export async function drain(server: Server, graceMs: number): Promise<boolean> {
  // Runs before the handler, while headers can still be set: the client must not use this connection again.
  server.prependListener('request', (_request, response) => response.setHeader('Connection', 'close'));
  const startMs = performance.now();
  const own = connectionsOf(server);
  const isQuiet = () => own.open.size === 0 && performance.now() > Math.max(startMs, own.lastMs) + QUIET_MS;
  const isBefore = (share: number) => performance.now() < startMs + graceMs * share;
  while (isBefore(ACCEPTING_SHARE) && !isQuiet()) await delay(CHECK_MS);
  while (isBefore(GAP_SHARE) && performance.now() < own.lastMs + CHECK_MS) await delay(CHECK_MS / 10);
  return close(server, startMs + graceMs - performance.now());
}

/**
 * Stops accepting connections, closes each connection as soon as it is idle, and cuts the remaining ones after `graceMs`.
 * @returns whether all requests ended in time
 */
export async function close(server: Server, graceMs: number): Promise<boolean> {
  const { open } = connectionsOf(server);
  const deadlineMs = performance.now() + graceMs;
  const isOver = () => open.size === 0 || performance.now() >= deadlineMs;
  // Closes right after accepting the connections that the kernel has opened, because closing cuts those that are not accepted yet.
  await turn();
  // Closes only the listening socket: HTTP's `close` would immediately cut connections with an unread request.
  const closed = new Promise((resolve) => NetServer.prototype.close.call(server, resolve));
  const lingerUntilMs = performance.now() + Math.min(LINGER_MS, graceMs / 2);
  while (performance.now() < lingerUntilMs && !isOver()) await delay(CHECK_MS / 10);
  while (!isOver()) {
    server.closeIdleConnections();
    // Node does not consider connections idle that have never sent anything, such as those that browsers open in advance.
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
    await delay(CHECK_MS / 10);
  }
  const inTime = open.size === 0;
  server.closeAllConnections();
  await closed;
  // Node reports the server as closed before requests that were cut have ended and are counted.
  while (open.size > 0) await turn();
  return inTime;
}

function connectionsOf(server: Server): Connections {
  const own = connections.get(server);
  if (!own) throw new Error('expected a server whose connections are watched');
  return own;
}
