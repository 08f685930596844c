/**
 * Observes when requests start, and when and how they end; `resolve` determines the rows of requests outside of routes. A
 * request ends when the operating system has accepted its whole response, or otherwise when its connection has closed. The
 * recorder observes both by replacing the response's `emit`, because an application may remove listeners.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { addRequest, bucketOf, expose, type RequestCounts, type Row, unmatchedRow } from './counts.ts';
import { type ExemplarSource, keepExemplar } from './exemplars.ts';
import { methodLabel } from './methods.ts';
import {
  countedOutcome,
  FORGOTTEN,
  type Measurement,
  ONGOING,
  outcome,
  requests,
  statusOf,
  watchHead,
  watchUpgrade,
} from './outcome.ts';

/** A request that has started. */
export interface Ongoing extends Measurement {
  /** The row of the current route; undefined outside of any route. */
  row: Row | undefined;
  /** Whether the request is in a handler for all methods (`route.all`), in a route that also has handlers for single methods. */
  viaAll: boolean;
  /** The last route that passed the request on with `next()`. */
  left: Left | undefined;
  /** Whether the application has responded; routes that the request enters afterwards do not count. */
  isAnswered: boolean;
  /** Whether the application has passed the request to the outer application. */
  isOut: boolean;
  /** The part of the URL that mounts outside of the application have consumed. */
  outerBaseUrl: string;
  /** The responses that wait for earlier ones on the connection, if this response is among them. */
  queue: Set<ServerResponse> | undefined;
  readonly startedMs: number;
  /** The state from `started` of the exemplar source. */
  readonly trace: unknown;
  readonly recorder: Recorder;
  /** The measurement of another recorder, if several measure the same response. */
  readonly next: Ongoing | undefined;
}

type Measured = ServerResponse & { [requests]?: Ongoing };

/** A route that has passed a request on, and the row on which the request would have been counted there. */
export interface Left {
  readonly route: object;
  readonly row: Row | undefined;
}

export interface Recorder {
  /** Counts `request` from now on. If it returns to the application through another mount, it keeps its measurement. */
  start(request: IncomingMessage, response: ServerResponse, outerBaseUrl: string): void;
  /** The measurement of the request that belongs to `response`; undefined if it is not counted. */
  ongoing(response: ServerResponse): Ongoing | undefined;
  /** `response` has lost its socket and so gets no more events from it. */
  detached(response: ServerResponse, socket: Socket): void;
  /** Forgets the request, as if it had never been counted. */
  forget(response: ServerResponse): void;
}

export interface RecorderParts {
  readonly counts: RequestCounts;
  /** The row of a request that ended outside of any watched route, by the status of its response; undefined if it has none. */
  readonly resolve: (request: IncomingMessage, ongoing: Ongoing, status: number) => Row | undefined;
  /** Undefined if exemplars are off. */
  readonly exemplars: ExemplarSource<IncomingMessage> | undefined;
}

/** The usual status from a handler for all methods in a route that also has handlers for single methods. */
const METHOD_NOT_ALLOWED = 405;

export function createRecorder({ counts, resolve, exemplars }: RecorderParts): Recorder {
  /** Pipelined responses that wait for earlier ones. If the connection breaks, Node 22 never closes them. */
  const waiting = new WeakMap<Socket, Set<Measured>>();

  /** Private to this recorder, so that others can measure the same response. */
  function measured(response: Measured): Ongoing | undefined {
    let ongoing = response[requests];
    while (ongoing && ongoing.recorder !== recorder) ongoing = ongoing.next;
    return ongoing;
  }

  function ongoingOf(response: Measured): Ongoing | undefined {
    const ongoing = measured(response);
    return ongoing?.code === ONGOING ? ongoing : undefined;
  }

  function leave(response: Measured, ongoing: Ongoing, code: number): void {
    ongoing.code = code;
    ongoing.queue?.delete(response);
    counts.inProgress--;
  }

  function ended(response: Measured, isSentNow = false): void {
    const ongoing = ongoingOf(response);
    if (!ongoing) return;
    const code = countedOutcome(response) ?? (isSentNow ? statusOf(response) : outcome(response));
    leave(response, ongoing, code);
    const row = rowOf(response, ongoing, code);
    const endedMs = performance.now();
    const seconds = (endedMs - ongoing.startedMs) / 1000;
    const bucket = bucketOf(counts.bounds, seconds);
    const cell = addRequest(counts, row, code, seconds, bucket);
    if (exemplars)
      keepExemplar(exemplars, cell, counts.bounds, bucket, seconds, endedMs, response.req, ongoing.trace);
  }

  function rowOf(response: ServerResponse, ongoing: Ongoing, code: number): Row {
    const { row, viaAll } = ongoing;
    if (row?.exposed && !viaAll) return row;
    const { req: request } = response;
    const status = statusOf(response);
    // `route.all(refuse)` after handlers for single methods: no route handled this request. The same applies to a request
    // that was cut before the route had responded.
    const isRefused = viaAll && (status === METHOD_NOT_ALLOWED || status !== code);
    const isElsewhere = isRefused || (ongoing.isOut && !ongoing.isAnswered);
    const found = isElsewhere ? undefined : (row ?? resolve(request, ongoing, status));
    return (found && expose(counts, found)) ?? unmatchedRow(counts, methodLabel(counts, request.method));
  }

  /** Observes every event of a response before its listeners do. */
  function see(response: Measured, event: unknown): void {
    const ongoing = ongoingOf(response);
    if (!ongoing) return;
    if (event === 'close') ended(response);
    else if (event === 'finish' || (event === 'prefinish' && response.writableLength === 0)) {
      // Node 22 also finishes a response whose bytes a destroyed socket has discarded.
      if (!response.req?.socket?.destroyed) ended(response, true);
    } else if (event === 'prefinish') {
      // The response is complete and belongs to the current route, even if it has not been sent yet.
      ongoing.row = rowOf(response, ongoing, statusOf(response));
      ongoing.viaAll = false;
      ongoing.isAnswered = true;
    } else if (event === 'socket') watchUpgrade(response);
  }

  /** Looks up `emit` at each call, because Express replaces the prototype of a response. */
  function emitSeen(this: Measured, event: string, ...values: unknown[]): boolean {
    see(this, event);
    const { emit } = Object.getPrototypeOf(this);
    // Node emits its own events without values, and spreading an empty list takes longer than everything else here.
    return values.length === 0 ? emit.call(this, event) : emit.call(this, event, ...values);
  }

  function watch(response: Measured): void {
    if (!Object.hasOwn(response, 'emit')) {
      response.emit = emitSeen;
      return;
    }
    const { emit } = response;
    response.emit = (event: string, ...values: unknown[]) => {
      see(response, event);
      return emit.call(response, event, ...values);
    };
  }

  function watchQueued(response: Measured, ongoing: Ongoing, socket: Socket): void {
    let queue = waiting.get(socket);
    if (!queue) {
      const all = new Set<Measured>();
      queue = all;
      waiting.set(socket, all);
      socket.once('close', () => {
        for (const one of all) ended(one);
      });
    }
    queue.add(response);
    ongoing.queue = queue;
  }

  /** A response without a server, such as those in tests and of express-ws, emits nothing when it ends. */
  function watchEnd(response: Measured): void {
    const { end } = response;
    response.end = (...values: unknown[]) => {
      Reflect.apply(end, response, values);
      ended(response, true);
      return response;
    };
  }

  const recorder: Recorder = {
    start(request, response: Measured, outerBaseUrl) {
      const known = measured(response);
      if (known) {
        known.outerBaseUrl = outerBaseUrl;
        known.isOut = false;
      }
      if (known || response.writableEnded) return;
      counts.inProgress++;
      const ongoing: Ongoing = {
        row: undefined,
        viaAll: false,
        left: undefined,
        isAnswered: false,
        isOut: false,
        outerBaseUrl,
        queue: undefined,
        startedMs: performance.now(),
        trace: exemplars?.started(),
        code: ONGOING,
        recorder,
        next: response[requests],
      };
      response[requests] = ongoing;
      watch(response);
      // Here `socket` is null if the response is queued, and undefined only without a server.
      if (response.socket) return watchUpgrade(response);
      const socket: (Socket & { _httpMessage?: ServerResponse | null }) | undefined =
        response.socket === null ? request.socket : undefined;
      if (socket) watchQueued(response, ongoing, socket);
      if (socket?._httpMessage) return;
      watchEnd(response);
      if (socket) watchUpgrade(response);
    },
    ongoing: ongoingOf,
    detached(response: Measured, socket) {
      const ongoing = ongoingOf(response);
      if (!ongoing) return;
      watchQueued(response, ongoing, socket);
      watchHead(response);
    },
    forget(response: Measured) {
      const ongoing = ongoingOf(response);
      if (ongoing) leave(response, ongoing, FORGOTTEN);
    },
  };
  return recorder;
}
