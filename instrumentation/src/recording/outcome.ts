/** Determines how the response to a request ended. */
import { type ServerResponse, STATUS_CODES } from 'node:http';

/** The code of a request whose client closed before the response was complete (nginx's "client closed request"). */
export const CLIENT_CLOSED = 499;

/** The code of a request whose connection was upgraded, for example to a WebSocket. */
const SWITCHING_PROTOCOLS = 101;

/** The position of the status in a head: after `HTTP/1.1 `. */
const STATUS_AT = 9;

/** The key under which recorders store their measurements in a response; shared by all copies of this package. */
export const requests: unique symbol = Symbol.for('express-exact-metrics: requests');

export interface Measurement {
  /** The code under which it was counted; {@link ONGOING} before that, and {@link FORGOTTEN} if it was not counted. */
  code: number;
  readonly next: Measurement | undefined;
}
export const ONGOING = 0;
export const FORGOTTEN = -1;

/**
 * The code under which a request is counted, once its response has closed or was sent in full. If the request has already
 * been counted, this is the code in the metrics, so that a log line can agree with them.
 *
 * It is the status of the response if the operating system has accepted the whole response. Otherwise it is 499 if the
 * connection was ended or broken from outside; 500 if this process cut it (a handler that failed half-way and destroyed the
 * response, or a shutdown after its grace time); and 101 if the connection was upgraded. If something other than the
 * response has written a head to the connection, it is the status of that head.
 */
export function outcome(response: ServerResponse): number {
  return countedOutcome(response) ?? outcomeOfClosed(response);
}

/** The code under which a recorder has counted `response`. */
export function countedOutcome(response: ServerResponse & { [requests]?: Measurement }): number | undefined {
  let request = response[requests];
  while (request && request.code <= ONGOING) request = request.next;
  return request?.code;
}

/**
 * Whether the operating system has accepted the whole `response`. When a socket is destroyed, Node counts unsent bytes as
 * written, and Node 22 marks its response as finished.
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
  // An injected request has no real socket, so its own state shows whether it was aborted.
  const isLeft = destroyed === undefined ? request.destroyed : isBroken(errored, response) || readableEnded;
  return isLeft ? CLIENT_CLOSED : 500;
}

/** The status of a head that something other than `response` has written to the connection; undefined without one. */
function writtenPast(response: ServerResponse & { req: { upgrade?: boolean } }): number | undefined {
  const { upgrade, socket } = response.req;
  // An `upgrade` listener responded before the application was called.
  const before = upgrade === true && socket.bytesWritten > 0 ? SWITCHING_PROTOCOLS : undefined;
  return rawStatuses.get(response) ?? before;
}

/** By response: the status of a head that, for example, a WebSocket library has written to its socket. */
const rawStatuses = new WeakMap<ServerResponse, number>();

/** Call it when `response` is next on its connection. A head that bypasses it is usual after a request for an upgrade. */
export function watchUpgrade(response: ServerResponse): void {
  const { rawHeaders = [] } = response.req;
  // Faster than letting Node build `headers`.
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length !== 'upgrade'.length || name.toLowerCase() !== 'upgrade') continue;
    watchHead(response);
    return;
  }
}

/** Watches the first write to the socket of `response`, and then releases the socket. */
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
    // An informational head before the final response, such as 100.
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

/** The status in the sent head of `response`: `statusCode` can still change after that, and no client sees the change. */
export function statusOf(response: ServerResponse & { readonly _header?: string | null }): number {
  const { statusCode, statusMessage, _header: head } = response;
  // Node sets the message together with the head, so a matching message confirms the code. Reading the head takes longer.
  if (!head || STATUS_CODES[statusCode] === statusMessage) return statusCode;
  return Number(head.slice(STATUS_AT, STATUS_AT + 3)) || statusCode;
}

/** Whether `error` came from outside of this process. */
function isBroken(error: NodeJS.ErrnoException | null | undefined, response: ServerResponse): boolean {
  // Node's own errors have codes. `destroy(error)` of a request or a response passes its error to the socket. ECANCELED
  // means that the process destroyed the socket during a write.
  if (!error?.code || error.code === 'ECANCELED') return false;
  return error !== response.errored && error !== response.req.errored;
}
