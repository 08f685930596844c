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
   * clients that pipeline a handful. Default 16.
   */
  readonly maxUnanswered?: number;
  /**
   * Pipelined requests that may be unanswered at once, of all connections together; with more, each connection has one.
   * A request takes some kilobytes. Default 500.
   */
  readonly maxUnansweredInAll?: number;
  /**
   * Whether connections are guarded from the start, and not only once a client has shown that it does not wait for answers.
   * It costs some microseconds for each request, and is for large answers: of the first such client Node has parsed one
   * read, up to 2,000 requests, before anybody knows. Default: no.
   */
  readonly always?: boolean;
  /** For how long a client may take nothing of an answer, in milliseconds, before it is cut. Default 30 s. */
  readonly answerTimeoutMs?: number;
}

/**
 * So long after a client that does not wait for answers, all connections are guarded. Otherwise Node reads them in its own
 * way, which takes some microseconds less for each request.
 */
const GUARD_MS = 600_000;

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
  {
    maxUnanswered = 16,
    maxUnansweredInAll = 500,
    always = false,
    answerTimeoutMs = 30_000,
  }: ProtectOptions = {},
): void {
  for (const [name, value] of Object.entries({ maxUnanswered, maxUnansweredInAll, answerTimeoutMs })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new TypeError(`protect: ${name}: expected a whole number from 1, got ${JSON.stringify(value)}`);
  }
  const open = new Set<GuardedSocket>();
  let guardedUntilMs = always ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  const shared: Shared = {
    turns: createTurns(),
    maxUnanswered,
    maxUnansweredInAll,
    unansweredInAll: 0,
    onRude() {
      const nowMs = performance.now();
      const isNew = nowMs > guardedUntilMs;
      if (!always) guardedUntilMs = nowMs + GUARD_MS;
      // Before Node reads the next connection, and not in the midst of what it has read of this one.
      if (isNew) process.nextTick(guardAll, open);
    },
  };
  server.on(connectionEvent(server), (socket: GuardedSocket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    if (server.listenerCount('upgrade') + server.listenerCount('connect') > 0) return;
    socket[line] = createLine(socket, shared);
    if (performance.now() < guardedUntilMs) socket[line].guard();
  });
  watchRequests(server);
  cutUntaken(server, open, answerTimeoutMs);
}

function guardAll(open: ReadonlySet<GuardedSocket>): void {
  for (const socket of open) socket[line]?.guard();
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
function cutUntaken(server: Server, open: ReadonlySet<GuardedSocket>, answerTimeoutMs: number): void {
  const waiting = new WeakSet<GuardedSocket>();
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
