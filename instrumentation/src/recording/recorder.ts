/**
 * Observes when requests start, and when and how they end; the router decides to which row they belong. A request ends when
 * the operating system has accepted its whole response, or else when its connection is gone. Both are read from the events
 * that the response emits, not from listeners on it, which an application may remove.
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
  /** The row of the route that it is in; undefined outside of any. */
  row: Row | undefined;
  /** Whether only a handler for all methods (`route.all`) took it, in a route that has others for some methods. */
  viaAll: boolean;
  /** The route that it was in last and left by `next()`. */
  left: Left | undefined;
  /** Whether it has been answered; routes that it enters afterwards do not count. */
  isAnswered: boolean;
  /** Whether the application has passed it to the outer application. */
  isOut: boolean;
  /** The part of the URL that mounts outside of the application have consumed. */
  outerBaseUrl: string;
  /** The responses that wait for earlier ones on the connection, if this is one of them. */
  queue: Set<ServerResponse> | undefined;
  readonly startedMs: number;
  /** The state from `started` of the exemplar source. */
  readonly trace: unknown;
  readonly recorder: Recorder;
  /** The measurement of another recorder, if several measure the same response. */
  readonly next: Ongoing | undefined;
}

type Measured = ServerResponse & { [requests]?: Ongoing };

/** A route that has passed a request on, and what the request would have counted on there. */
export interface Left {
  readonly route: object;
  readonly row: Row | undefined;
}

export interface Recorder {
  /** Counts `request` from now on. If it returns to the application by another mount, it keeps its measurement. */
  start(request: IncomingMessage, response: ServerResponse, outerBaseUrl: string): void;
  /** The measurement of the request that `response` answers; undefined if it is not counted. */
  ongoing(response: ServerResponse): Ongoing | undefined;
  /** `response` has lost its socket and so gets no more events from it. */
  detached(response: ServerResponse, socket: Socket): void;
  /** Forgets the request, as if it had never been counted. */
  forget(response: ServerResponse): void;
}

export interface RecorderParts {
  readonly counts: RequestCounts;
  /** The row of a request that ended outside of any watched route, by the status of its response; undefined for none. */
  readonly resolve: (request: IncomingMessage, ongoing: Ongoing, status: number) => Row | undefined;
  /** Undefined if exemplars are off. */
  readonly exemplars: ExemplarSource<IncomingMessage> | undefined;
}

/** The usual answers of a handler for all methods next to others. */
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
    // `route.all(refuse)` after the methods that a route has: no route handled this request, nor one that was cut before the
    // route had answered.
    const isRefused = viaAll && (status === METHOD_NOT_ALLOWED || status !== code);
    const isElsewhere = isRefused || (ongoing.isOut && !ongoing.isAnswered);
    const found = isElsewhere ? undefined : (row ?? resolve(request, ongoing, status));
    return (found && expose(counts, found)) ?? unmatchedRow(counts, methodLabel(counts, request.method));
  }

  /** Sees every event of a response before its listeners do. */
  function see(response: Measured, event: unknown): void {
    const ongoing = ongoingOf(response);
    if (!ongoing) return;
    if (event === 'close') ended(response);
    else if (event === 'finish' || (event === 'prefinish' && response.writableLength === 0)) {
      // Node 22 also finishes a response whose bytes a destroyed socket has discarded.
      if (!response.req?.socket?.destroyed) ended(response, true);
    } else if (event === 'prefinish') {
      // The current route has given the whole answer, however long that takes to leave.
      ongoing.row = rowOf(response, ongoing, statusOf(response));
      ongoing.viaAll = false;
      ongoing.isAnswered = true;
    } else if (event === 'socket') watchUpgrade(response);
  }

  /** Looks up `emit` at each call, because Express replaces the prototype of a response. */
  function emitSeen(this: Measured, event: string, ...values: unknown[]): boolean {
    see(this, event);
    const { emit } = Object.getPrototypeOf(this);
    // Node's own events have no values, and spreading none takes longer than all the rest.
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

  /** A response without a server, as tests and express-ws create them, emits nothing when it ends. */
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
      // Only a response without a server has no value here, not even null.
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
