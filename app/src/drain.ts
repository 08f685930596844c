/**
 * The end of an HTTP server, so that nobody's request is lost: clients are told to go before they are no longer served. A
 * connection that is refused has carried nothing, and its client takes another address; one that is cut under a request
 * leaves its client in doubt whether that was done.
 */
import type { Server } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';

/** How often a server that drains looks at its connections, in milliseconds. */
const CHECK_MS = 50;

/** So long without a connection means that nobody comes any more: longer than a client takes to open the next one. */
const QUIET_MS = 1_000;

/**
 * The share of the grace time in which new connections are still accepted, and that in which a gap between two of them is
 * waited for: one that the kernel has opened, and nobody has accepted, is cut. The rest is for the requests that they brought.
 */
const ACCEPTING_SHARE = 0.75;
const GAP_SHARE = 0.9;

/** So long a connection that has just been accepted may take to bring its request, in milliseconds. */
const LINGER_MS = 250;

/** The open connections of a server, and when the last one was opened. */
interface Connections {
  readonly open: Set<Socket>;
  lastMs: number;
}

const connections = new WeakMap<Server, Connections>();

/** Watches the connections of `server`, which has none yet. */
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
 * Answers whoever still comes, with `Connection: close`, until nobody does or the grace time begins to end; then
 * {@link close}. A connection that is idle gets one more answer in that time: it may have a request on its way.
 * @returns whether all requests ended within `graceMs`
 */
export async function drain(server: Server, graceMs: number): Promise<boolean> {
  // Before the handler, while the headers can still be changed: this connection is not to be used again.
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
 * Accepts nothing more, closes each connection as soon as it is idle, and cuts what is left after `graceMs`.
 * @returns whether all requests ended in time
 */
export async function close(server: Server, graceMs: number): Promise<boolean> {
  const { open } = connectionsOf(server);
  const deadlineMs = performance.now() + graceMs;
  const isOver = () => open.size === 0 || performance.now() >= deadlineMs;
  // Right after the connections that the kernel has opened were accepted: those that nobody accepts it cuts.
  await turn();
  // The listening socket only: HTTP's own `close` would at once cut connections whose request has come and is not read yet.
  const closed = new Promise((resolve) => NetServer.prototype.close.call(server, resolve));
  const lingerUntilMs = performance.now() + Math.min(LINGER_MS, graceMs / 2);
  while (performance.now() < lingerUntilMs && !isOver()) await delay(CHECK_MS / 10);
  while (!isOver()) {
    server.closeIdleConnections();
    // Node does not count a connection as idle that has never sent anything, such as a browser opens in advance.
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
    await delay(CHECK_MS / 10);
  }
  const inTime = open.size === 0;
  server.closeAllConnections();
  await closed;
  // Node calls a server closed before the requests that were cut have ended, and are counted.
  while (open.size > 0) await turn();
  return inTime;
}

function connectionsOf(server: Server): Connections {
  const own = connections.get(server);
  if (!own) throw new Error('only a server whose connections are watched can be drained');
  return own;
}
