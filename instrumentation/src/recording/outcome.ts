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
 * response, or a shutdown whose grace time was over); and 101 when the connection was upgraded. Where something else than
 * the response has written a head to the connection, it is the status of that.
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
  const { req: request, headersSent } = response;
  const written = headersSent ? statusOf(response) : writtenPast(response);
  if (written === SWITCHING_PROTOCOLS || (written && !headersSent)) return written;
  const { destroyed, errored, readableEnded } = request.socket;
  // The socket of an injected request is none, and the request itself is aborted.
  const isLeft = destroyed === undefined ? request.destroyed : isBroken(errored, response) || readableEnded;
  return isLeft ? CLIENT_CLOSED : 500;
}

/** The status of a head that something else than `response` has written to the connection; undefined where there is none. */
function writtenPast(response: ServerResponse & { req: { upgrade?: boolean } }): number | undefined {
  const { upgrade, socket } = response.req;
  // An `upgrade` listener has answered, before the application was asked.
  const before = upgrade === true && socket.bytesWritten > 0 ? SWITCHING_PROTOCOLS : undefined;
  return rawStatuses.get(response) ?? before;
}

/** By response: the status of a head that a WebSocket library, for example, has written to its socket. */
const rawStatuses = new WeakMap<ServerResponse, number>();

/** To be called when it is the turn of `response` on its connection: such a head is usual where a client asks for an upgrade. */
export function watchUpgrade(response: ServerResponse): void {
  const { rawHeaders = [] } = response.req;
  // Faster than to have Node make `headers` of them.
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length !== 'upgrade'.length || name.toLowerCase() !== 'upgrade') continue;
    watchHead(response);
    return;
  }
}

/** Looks at the first thing that is written to the socket of `response`, and then lets go of the socket. */
export function watchHead(response: ServerResponse): void {
  const socket = (response.socket ?? response.req.socket) as unknown as Record<
    'write' | 'end',
    (...values: unknown[]) => unknown
  >;
  const restore = (['write', 'end'] as const).map((name) => {
    const original = socket[name];
    const seen = (...values: unknown[]) => {
      note(values[0]);
      return Reflect.apply(original, socket, values);
    };
    socket[name] = seen;
    return () => {
      if (socket[name] === seen) socket[name] = original;
    };
  });
  const note = (written: unknown) => {
    const status = Number(/^HTTP\/1\.\d (\d{3})/.exec(beginning(written))?.[1]);
    // What comes before an answer, such as 100.
    if (status < 200 && status !== SWITCHING_PROTOCOLS) return;
    for (const one of restore) one();
    if (status) rawStatuses.set(response, status);
  };
}

function beginning(written: unknown): string {
  if (!ArrayBuffer.isView(written)) return String(written);
  const { buffer, byteOffset, byteLength } = written;
  return Buffer.from(buffer, byteOffset, Math.min(byteLength, STATUS_AT + 3)).toString('latin1');
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
