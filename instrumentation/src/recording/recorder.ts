/**
 * Watches requests. It knows when one starts and when, and how, it ends; which row it belongs to is for the router to say. A
 * request is over when its response is with the operating system in full, and otherwise when its connection is gone. Both
 * are read from what the response emits, not from listeners on it: an application may remove those.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { addRequest, expose, type RequestCounts, type Row, unmatchedRow } from './counts.ts';
import { type ExemplarSource, keepExemplar } from './exemplars.ts';
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
  /** Whether only a handler for all methods (`route.all`) took it, of a route that has others for some. */
  viaAll: boolean;
  /** What it was in last and left again, by `next()`. */
  left: Left | undefined;
  /** Whether it has been answered: what it enters from now on has no part in it. */
  isAnswered: boolean;
  /** Whether the application has passed it on to the one that it is mounted in. */
  isOut: boolean;
  /** The part of the URL that mounts outside of the application have consumed. */
  outerBaseUrl: string;
  /** The responses that wait for those before them on the connection, where this is one. */
  queue: Set<ServerResponse> | undefined;
  readonly startedMs: number;
  /** The state from `started` of the exemplar source. */
  readonly trace: unknown;
  readonly recorder: Recorder;
  /** Of another recorder, where several measure the same response. */
  readonly next: Ongoing | undefined;
}

type Measured = ServerResponse & { [requests]?: Ongoing };

/** A route that has passed a request on, and what the request would have counted on there. */
export interface Left {
  readonly route: object;
  readonly row: Row | undefined;
}

export interface Recorder {
  /** Counts `request` from now on. Where it comes back to the application by another mount, it goes on with that one. */
  start(request: IncomingMessage, response: ServerResponse, outerBaseUrl: string): void;
  /** What is known of the request that `response` answers; undefined where it is not counted. */
  ongoing(response: ServerResponse): Ongoing | undefined;
  /** `response` has no socket any more, and so hears no more of it. */
  detached(response: ServerResponse, socket: Socket): void;
  /** Takes the request back: it was never counted. */
  forget(response: ServerResponse): void;
}

export interface RecorderParts {
  readonly counts: RequestCounts;
  /** The row of a request that ended outside of any watched route, by the status of its response; undefined for none. */
  readonly resolve: (request: IncomingMessage, ongoing: Ongoing, status: number) => Row | undefined;
  /** The label of a method. */
  readonly methodLabel: (method: string) => string;
  /** Undefined if exemplars are off. */
  readonly exemplars?: ExemplarSource<IncomingMessage> | undefined;
  /** A monotonic clock in milliseconds. */
  readonly nowMs?: () => number;
}

/** What a handler for all methods next to others usually answers. */
const METHOD_NOT_ALLOWED = 405;

export function createRecorder({
  counts,
  resolve,
  methodLabel,
  exemplars,
  nowMs = () => performance.now(),
}: RecorderParts): Recorder {
  /** Pipelined responses that wait for those before them. If the connection breaks, Node 22 never closes them. */
  const waiting = new WeakMap<Socket, Set<Measured>>();

  /** Of this recorder: others that measure the same response do not disturb it. */
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
    const endedMs = nowMs();
    const seconds = (endedMs - ongoing.startedMs) / 1000;
    const cell = addRequest(counts, row, code, seconds);
    if (exemplars)
      keepExemplar(exemplars, cell, counts.bounds, seconds, endedMs, response.req, ongoing.trace);
  }

  function rowOf(response: ServerResponse, ongoing: Ongoing, code: number): Row {
    const { row, viaAll } = ongoing;
    if (row?.exposed && !viaAll) return row;
    const { req: request } = response;
    const status = statusOf(response);
    // `route.all(refuse)` behind the methods that a route has: no route handled this request, nor one that was cut before
    // the route had answered.
    const isRefused = viaAll && (status === METHOD_NOT_ALLOWED || status !== code);
    const isElsewhere = isRefused || (ongoing.isOut && !ongoing.isAnswered);
    const found = isElsewhere ? undefined : (row ?? resolve(request, ongoing, status));
    return (found && expose(counts, found)) ?? unmatchedRow(counts, methodLabel(request.method ?? ''));
  }

  /** Sees every event of a response before its listeners do. */
  function see(response: Measured, event: unknown): void {
    const ongoing = ongoingOf(response);
    if (!ongoing) return;
    if (event === 'close') ended(response);
    else if (event === 'finish' || (event === 'prefinish' && response.writableLength === 0)) {
      // What a destroyed socket has thrown away is finished as well, by Node 22.
      if (!response.req?.socket?.destroyed) ended(response, true);
    } else if (event === 'prefinish') {
      // The answer is complete, however long it takes to leave: the route that it is in has given it.
      ongoing.row = rowOf(response, ongoing, statusOf(response));
      ongoing.viaAll = false;
      ongoing.isAnswered = true;
    } else if (event === 'socket') watchUpgrade(response);
  }

  /** Express gives a response another prototype on the way: `emit` is looked up when it is called. */
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

  /** A response that no server made, as tests and express-ws make them, emits nothing when it ends. */
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
        startedMs: nowMs(),
        trace: exemplars?.started(),
        code: ONGOING,
        recorder,
        next: response[requests],
      };
      response[requests] = ongoing;
      watch(response);
      // None at all, not even null, has only a response that no server made.
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
