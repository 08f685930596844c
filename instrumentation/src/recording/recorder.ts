/**
 * Watches requests. It knows when one starts and when, and how, it ends; which row it belongs to is the business of
 * whoever routes it. A request is over when its response closes, whichever way that happens: `finish` alone would miss
 * every abort.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { addRequest, listRow, type RequestCounts, type Row, unmatchedRow } from './counts.ts';
import { outcome } from './outcome.ts';

/** A request that has started and not ended. */
export interface Ongoing {
  /** The row of the route that it is in; undefined outside of any. */
  row: Row | undefined;
  /** Whether only a handler for all methods (`route.all`) took it, of a route that has others for some. */
  viaAll: boolean;
  /** What it was in last and left again, by `next()`. */
  left: Left | undefined;
  readonly startedMs: number;
}

/** A route that has passed a request on, and what the request would have counted on there. */
export interface Left {
  readonly route: object;
  readonly row: Row | undefined;
}

export interface Recorder {
  /** Counts `request` from now on. */
  start(request: IncomingMessage, response: ServerResponse): void;
  /** What is known of the request that `response` answers; undefined where it is not counted. */
  ongoing(response: ServerResponse): Ongoing | undefined;
  /** Takes the request back: it was never counted. */
  forget(response: ServerResponse): void;
}

export interface RecorderParts {
  readonly counts: RequestCounts;
  /** The row of a request that ended outside of any watched route, by the status of its response; undefined for none. */
  readonly locate: (request: IncomingMessage, ongoing: Ongoing, status: number) => Row | undefined;
  /** The label of a method. */
  readonly methodLabel: (method: string) => string;
  /** A monotonic clock in milliseconds. */
  readonly nowMs?: () => number;
}

/** What a handler for all methods that stands beside others usually answers. */
const METHOD_NOT_ALLOWED = 405;

export function createRecorder({
  counts,
  locate,
  methodLabel,
  nowMs = () => performance.now(),
}: RecorderParts): Recorder {
  // Of this recorder alone: two that measure the same response do not disturb each other.
  const current = Symbol('request being measured');
  type Measured = ServerResponse & { [current]?: Ongoing | undefined };
  /** Pipelined responses that wait for those before them. If the connection breaks, Node 22 never closes them. */
  const waiting = new WeakMap<Socket, Set<Measured>>();

  function ended(response: Measured): void {
    const ongoing = response[current];
    if (!ongoing) return;
    response[current] = undefined;
    counts.inProgress--;
    const code = outcome(response);
    addRequest(counts, rowOf(response, ongoing, code), code, (nowMs() - ongoing.startedMs) / 1000);
  }

  function rowOf(response: ServerResponse, ongoing: Ongoing, code: number): Row {
    const { row, viaAll } = ongoing;
    if (row?.listed && !viaAll) return row;
    const { req: request, statusCode } = response;
    // `route.all(refuse)` behind the methods that a route has: no route handled this request, nor one that was cut before
    // anybody could tell.
    const isRefused = viaAll && (statusCode === METHOD_NOT_ALLOWED || statusCode !== code);
    const found = isRefused ? undefined : (row ?? locate(request, ongoing, statusCode));
    return (found && listRow(counts, found)) ?? unmatchedRow(counts, methodLabel(request.method ?? ''));
  }

  function onClose(this: ServerResponse): void {
    ended(this);
  }

  function watchQueued(response: Measured, socket: Socket): void {
    let queued = waiting.get(socket);
    if (!queued) {
      const all = new Set<Measured>();
      queued = all;
      waiting.set(socket, all);
      socket.once('close', () => all.forEach(ended));
    }
    queued.add(response);
    response.once('close', () => waiting.get(socket)?.delete(response));
  }

  return {
    start(request, response: Measured) {
      if (response[current]) return;
      counts.inProgress++;
      response[current] = { row: undefined, viaAll: false, left: undefined, startedMs: nowMs() };
      response.on('close', onClose);
      if (response.socket === null) watchQueued(response, request.socket);
    },
    ongoing: (response: Measured) => response[current],
    forget(response: Measured) {
      if (!response[current]) return;
      response[current] = undefined;
      counts.inProgress--;
    },
  };
}
