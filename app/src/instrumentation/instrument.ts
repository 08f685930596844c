/**
 * Watches requests. It knows when one starts and when, and how, it ends; what is recorded is `metrics.ts`.
 *
 * It stands around the application and not within it: nothing that the application does can keep a request from being
 * counted, the duration begins where Node hands the request over, and one layer of Express, which costs more than the
 * whole counting, is saved. A request is over when its response closes, whichever way that happens: `finish` alone would
 * miss every abort.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestMetrics } from './metrics.ts';
import { CLIENT_CLOSED, type Series } from './request-counts.ts';

const current = Symbol('request being measured');

/** A response while its request is being measured. */
interface Measured extends ServerResponse {
  [current]?: { series: Series; readonly startedMs: number } | undefined;
}

export interface Instrument {
  /** `application`, with each request that reaches it counted. */
  around(application: RequestListener): RequestListener;
  /** A handler that says which row of the route table the request has matched. @throws when there is no such row */
  matched(
    path: string,
    method: string,
  ): (request: IncomingMessage, response: ServerResponse, next: () => void) => void;
}

/** @param nowMs a monotonic clock in milliseconds */
export function createInstrument(metrics: RequestMetrics, nowMs = () => performance.now()): Instrument {
  /** Pipelined responses that wait for those before them. If the connection breaks, Node 22 never closes them. */
  const waiting = new WeakMap<Socket, Set<Measured>>();

  function ended(response: Measured): void {
    const request = response[current];
    if (!request) return;
    response[current] = undefined;
    metrics.ended(request.series, outcome(response), (nowMs() - request.startedMs) / 1000);
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
    around: (application) => (request, response: Measured) => {
      metrics.started();
      response[current] = { series: metrics.unmatched(request.method ?? ''), startedMs: nowMs() };
      response.on('close', onClose);
      if (response.socket === null) watchQueued(response, request.socket);
      application(request, response);
    },
    matched(path, method) {
      const series = metrics.routed(path, method);
      return (_request, response: Measured, next) => {
        const request = response[current];
        if (request) request.series = series;
        next();
      };
    },
  };
}

/**
 * The code that a closed response counts as: its own when it was sent in full. Otherwise somebody cut it: 499 when the
 * connection was ended or broken from the outside, 500 when this process did it (a handler that failed half-way and
 * destroyed the response, or a shutdown whose grace time was over).
 */
function outcome(response: ServerResponse): number {
  const { socket } = response.req;
  // Node 22 calls a response finished, too, whose last bytes were thrown away with the socket.
  if (response.writableFinished && !socket.destroyed) return response.statusCode;
  // `response.destroy(error)` hands its error on to the socket.
  const brokenOutside = socket.errored !== null && socket.errored !== response.errored;
  return brokenOutside || socket.readableEnded ? CLIENT_CLOSED : 500;
}
