/**
 * Protects a server from clients that send requests without taking the answers, or take them too slowly: in memory, in
 * time, and so that other clients do not notice. Node has settings for clients that are slow to send; for these it has none.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { createLine, type Line, type Shared } from './line.ts';
import { createTurns } from './turns.ts';

export interface ProtectOptions {
  /**
   * Requests of one connection that may be unanswered at once; with more the server reads no further. Browsers have one,
   * clients that pipeline a handful. Default 32.
   */
  readonly maxUnanswered?: number;
  /**
   * Pipelined requests that may be unanswered at once, of all connections together; with more, each connection has one.
   * A request takes some kilobytes. Default 2000.
   */
  readonly maxUnansweredInAll?: number;
  /** For how long a client may take nothing of an answer, in milliseconds, before it is cut. Default 30 s. */
  readonly answerTimeoutMs?: number;
}

/** Who has not taken anything is looked for this often within the time to take an answer. */
const CHECKS = 4;

const line = Symbol('line of requests');
type GuardedSocket = Socket & { [line]?: Line };

/** Events that bring a request; those with a listener are watched, since without one Node answers by itself. */
const REQUEST_EVENTS = ['request', 'checkContinue', 'checkExpectation'] as const;

/**
 * To be called before `server` listens. Requests that wait are read later, none is refused. A server that upgrades
 * connections (WebSockets, CONNECT) keeps Node's way of reading, so that only the time to take an answer is bounded.
 * @throws TypeError when an option is wrong
 */
export function protect(
  server: Server,
  { maxUnanswered = 32, maxUnansweredInAll = 2_000, answerTimeoutMs = 30_000 }: ProtectOptions = {},
): void {
  for (const [name, value] of Object.entries({ maxUnanswered, maxUnansweredInAll, answerTimeoutMs })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new TypeError(`protect: ${name}: expected a whole number from 1, got ${JSON.stringify(value)}`);
  }
  const shared: Shared = { turns: createTurns(), maxUnanswered, maxUnansweredInAll, unansweredInAll: 0 };
  server.on(connectionEvent(server), (socket: GuardedSocket) => {
    const [parse, ...others] = socket.listeners('data');
    const upgrades = server.listenerCount('upgrade') + server.listenerCount('connect') > 0;
    if (!parse || others.length > 0 || upgrades) return;
    socket.removeListener('data', parse as () => void);
    socket[line] = createLine(socket, parse as (chunk: Buffer) => void, shared);
  });
  watchRequests(server);
  cutUntaken(server, answerTimeoutMs);
}

function connectionEvent(server: Server): string {
  return server instanceof TlsServer ? 'secureConnection' : 'connection';
}

const isUntaken = ({ writableLength }: Socket) => writableLength > 0;

function watchRequests(server: Server): void {
  const started = ({ socket }: IncomingMessage & { socket: GuardedSocket }, response: ServerResponse) =>
    socket[line]?.started(response.req, response);
  const watch = (event: string) => {
    if (!server.listeners(event).includes(started)) server.prependListener(event, started);
  };
  for (const event of REQUEST_EVENTS) if (server.listenerCount(event) > 0) watch(event);
  server.on('newListener', (event: string, listener) => {
    if (listener !== started && REQUEST_EVENTS.some((name) => name === event)) watch(event);
  });
}

/** Node's timer of a connection knows whether a large answer is still being taken. It is set where one is not at once. */
function cutUntaken(server: Server, answerTimeoutMs: number): void {
  const open = new Set<GuardedSocket>();
  const waiting = new WeakSet<GuardedSocket>();
  server.on(connectionEvent(server), (socket: GuardedSocket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  const check = setInterval(() => {
    for (const socket of open) {
      if (!isUntaken(socket)) waiting.delete(socket);
      else if (!waiting.has(socket)) waiting.add(socket.setTimeout(answerTimeoutMs));
    }
  }, answerTimeoutMs / CHECKS).unref();
  server.once('close', () => clearInterval(check));
  server.on('timeout', (socket: GuardedSocket) => {
    const isHandled = !isUntaken(socket) && socket[line]?.isBusy();
    if (server.timeout === 0 && isHandled) return;
    // With an error where an answer was not taken: it is not this process that has failed.
    socket.destroy(isUntaken(socket) ? new Error('the client did not take its answer') : undefined);
  });
}
