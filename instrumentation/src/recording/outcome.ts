/** How the answer to a request has ended. */
import { type ServerResponse, STATUS_CODES } from 'node:http';

/** The code of a request whose client closed before the response was complete (nginx's "client closed request"). */
export const CLIENT_CLOSED = 499;

/** The code of a request that has become something else, such as a WebSocket. */
const SWITCHING_PROTOCOLS = 101;

/** Where the status stands in a head: behind `HTTP/1.1 `. */
const STATUS_AT = 9;

/** What a response carries of each recorder that measures it; the same for all copies of this package. */
export const requests: unique symbol = Symbol.for('express-exact-metrics: requests');

export interface Measurement {
  /** What it was counted with; before that {@link ONGOING}, and {@link FORGOTTEN} where it was not. */
  code: number;
  readonly next: Measurement | undefined;
}
export const ONGOING = 0;
export const FORGOTTEN = -1;

/**
 * The code that a request counts as, once its response has closed or was sent in full: what the metrics have counted, where
 * they have, so that a log line can say the same.
 *
 * It is the status of the response when that was handed to the operating system in full. Otherwise 499 when the connection
 * was ended or broken from the outside; 500 when this process cut it (a handler that failed half-way and destroyed the
 * response, or a shutdown whose grace time was over); and 101 when the connection was upgraded.
 */
export function outcome(response: ServerResponse): number {
  return countedOutcome(response) ?? outcomeOfClosed(response);
}

/** What another recorder, or this one, has counted `response` with. */
export function countedOutcome(response: ServerResponse & { [requests]?: Measurement }): number | undefined {
  let request = response[requests];
  while (request && request.code <= ONGOING) request = request.next;
  return request?.code;
}

/**
 * Whether all of `response` is with the operating system. When a socket is destroyed, what has not left it counts as
 * written too, and Node 22 calls its response finished.
 */
function isSent(response: ServerResponse): boolean {
  return response.writableFinished && !response.req?.socket?.destroyed;
}

function outcomeOfClosed(response: ServerResponse): number {
  if (isSent(response)) return statusOf(response);
  if (isUpgraded(response)) return SWITCHING_PROTOCOLS;
  const { errored, readableEnded } = response.req.socket;
  return isBroken(errored, response) || readableEnded ? CLIENT_CLOSED : 500;
}

/** What the head of `response` says: `statusCode` can still be set once that has left, and then no client sees it. */
export function statusOf(response: ServerResponse & { readonly _header?: string | null }): number {
  const { statusCode, statusMessage, _header: head } = response;
  // Node sets the message with the head, which takes longer to read.
  if (!head || STATUS_CODES[statusCode] === statusMessage) return statusCode;
  return Number(head.slice(STATUS_AT, STATUS_AT + 3)) || statusCode;
}

/** Whether `error` came from the outside. */
function isBroken(error: NodeJS.ErrnoException | null | undefined, response: ServerResponse): boolean {
  // Node's own errors have codes. `destroy(error)` of a request or a response hands its error on to the socket; ECANCELED
  // is a write that was under way when the process destroyed the socket.
  if (!error?.code || error.code === 'ECANCELED') return false;
  return error !== response.errored && error !== response.req.errored;
}

/** Whether the connection was taken over: by an `upgrade` listener, or by a handler that gave it to a WebSocket library. */
function isUpgraded(response: ServerResponse & { req: { upgrade?: boolean } }): boolean {
  const { headersSent, req: request } = response;
  if (headersSent) return statusOf(response) === SWITCHING_PROTOCOLS;
  const { upgrade = '' } = request.headers;
  return request.upgrade === true || (/\bwebsocket\b/i.test(upgrade) && request.socket.bytesWritten > 0);
}
