/**
 * One connection to the target, with at most one request at a time. It never repeats a request: whether a request without a
 * response reached the server is unknown, and is reported as unknown.
 */
import type { Socket } from 'node:net';
import type { FailureKind } from '../common/result.ts';
import { type Origin, openSocket } from './origin.ts';
import { type EncodedRequest, withTrace } from './request.ts';
import { ResponseParser, TooLargeError } from './response-parser.ts';

/** Notified when the request on a connection ends, and when the connection closes. */
export interface ConnectionListener {
  answered(connection: Connection, status: number): void;
  failed(connection: Connection, kind: FailureKind): void;
  closed(connection: Connection): void;
}

/** Bodies are discarded. A thousand connections need a thousand such buffers. */
const READ_BUFFER_BYTES = 16 * 1024;
/**
 * An idle connection is closed before the server would close it, so that no request coincides with the close: this much earlier, or
 * earlier by half of the time that the server promises. Node's agent and undici always subtract a second or more, so they never
 * reuse a connection if the server promises one second.
 */
const IDLE_MARGIN_MS = 1_000;
/** `timeout=0` is a promise of less than a second, rounded down. A server that keeps no connections sends `Connection: close`. */
const MIN_IDLE_MS = 100;
/** Used if the server makes no promise. Node closes idle connections after 5 s, most other servers later. */
const DEFAULT_IDLE_MS = 4_000;

export class Connection {
  /** Target index and times of the current request. They belong to the client, and are kept here to avoid allocations per request. */
  target = 0;
  intendedMs = 0;
  traceId: string | undefined;
  /** The time at which the request was written to the socket; NaN before. */
  sentMs = Number.NaN;
  deadlineMs = 0;
  idleSinceMs = 0;
  openedMs = 0;
  answers = 0;
  busy = false;
  readonly address: string;
  #request: EncodedRequest | undefined;
  #connected = false;
  /** Whether the server keeps the connection for another request. */
  isOpen = true;
  #closes = false;
  readonly #secure: boolean;
  readonly socket: Socket;
  readonly #parser = new ResponseParser();
  readonly #listener: ConnectionListener;

  constructor(origin: Origin, address: string, listener: ConnectionListener) {
    this.address = address;
    this.#secure = origin.secure;
    this.#listener = listener;
    const onread = { buffer: Buffer.allocUnsafe(READ_BUFFER_BYTES), callback: this.#read };
    this.socket = openSocket(origin, address, { noDelay: true, onread });
    this.socket.once(origin.secure ? 'secureConnect' : 'connect', this.#onConnect);
    this.socket.on('error', (error: NodeJS.ErrnoException) => this.fail(this.#kindOf(error)));
    this.socket.once('end', () => this.#onEnd());
    this.socket.once('close', () => {
      this.fail('reset');
      this.#listener.closed(this);
    });
  }

  /** Whether the next request may use this connection. */
  isUsable(nowMs: number): boolean {
    if (!this.isOpen) return false;
    const seconds = this.#parser.keepAliveSeconds;
    return nowMs - this.idleSinceMs < (seconds === undefined ? DEFAULT_IDLE_MS : usableMs(seconds * 1000));
  }

  /** @param nowMs the current time, passed in because reading the clock is a measurable part of a fast request */
  send(request: EncodedRequest, nowMs: number): void {
    this.busy = true;
    this.#closes = request.closes;
    this.sentMs = Number.NaN;
    this.#parser.begin(request.isHead);
    if (this.#connected) this.#write(request, nowMs);
    else this.#request = request;
  }

  /** Closes the connection, and fails the current request, if any. */
  fail(kind: FailureKind): void {
    this.close();
    if (!this.busy) return;
    this.busy = false;
    this.#listener.failed(this, kind);
  }

  close(): void {
    this.isOpen = false;
    this.socket.destroy();
  }

  #onConnect = (): void => {
    this.#connected = true;
    if (this.#request !== undefined) this.#write(this.#request, performance.now());
    this.#request = undefined;
  };

  #write(request: EncodedRequest, nowMs: number): void {
    this.sentMs = nowMs;
    this.socket.write(this.traceId === undefined ? request.bytes : withTrace(request, this.traceId));
  }

  #read = (length: number, buffer: Uint8Array): boolean => {
    try {
      const isComplete = this.#parser.push((buffer as Buffer).subarray(0, length));
      if (this.busy && isComplete) this.#answered();
      else if (!this.busy && !this.#parser.keepAlive) this.close();
    } catch (error) {
      this.fail(error instanceof TooLargeError ? 'too-large' : 'protocol');
      return false;
    }
    return true;
  };

  #answered(): void {
    this.busy = false;
    this.answers++;
    if (this.#closes || !this.#parser.keepAlive) this.close();
    this.#listener.answered(this, this.#parser.status);
  }

  #onEnd(): void {
    if (this.busy && this.#parser.end()) this.#answered();
    else this.fail('reset');
    this.close();
  }

  #kindOf(error: NodeJS.ErrnoException): FailureKind {
    const byCode = KIND_BY_CODE[error.code ?? ''];
    if (byCode === 'refused' || byCode === 'unreachable' || byCode === 'local' || byCode === 'timeout')
      return byCode;
    if (this.#secure && !this.#connected) return 'tls';
    return byCode ?? 'reset';
  }
}

function usableMs(promisedMs: number): number {
  return Math.max(MIN_IDLE_MS, promisedMs / 2, promisedMs - IDLE_MARGIN_MS);
}

const KIND_BY_CODE: Readonly<Record<string, FailureKind>> = {
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ETIMEDOUT: 'timeout',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  EADDRNOTAVAIL: 'local',
  EMFILE: 'local',
  ENFILE: 'local',
};
