/**
 * One connection to the target, with at most one request on it at a time. It never sends a request twice: whether a
 * request that got no answer reached the server is not known, so the truth is to say so and leave it.
 */
import type { Socket } from 'node:net';
import type { FailureKind } from '../common/result.ts';
import { type Origin, openSocket } from './origin.ts';
import { type EncodedRequest, withTrace } from './request.ts';
import { ResponseParser, TooLargeError } from './response-parser.ts';

/** Receives the end of the request on a connection, and of the connection. */
export interface ConnectionListener {
  answered(connection: Connection, status: number): void;
  failed(connection: Connection, kind: FailureKind): void;
  closed(connection: Connection): void;
}

/** Bodies are skipped, not kept; a thousand connections have a thousand of these. */
const READ_BUFFER_BYTES = 16 * 1024;
/**
 * An idle connection is given up before the server would close it, so that a request does not cross the close: by this
 * long, or by half of what the server promises. Node's agent and undici always take a second or more off, and so never
 * use a connection twice where the promise is one second.
 */
const IDLE_MARGIN_MS = 1_000;
/** `timeout=0` is a promise of less than a second, rounded down. A server that keeps nothing says `Connection: close`. */
const MIN_IDLE_MS = 100;
/** Without a promise of the server: Node closes idle connections after 5 s, most others later. */
const DEFAULT_IDLE_MS = 4_000;

export class Connection {
  /** Request number, target index and times of the request under way; the pool's, kept here to allocate nothing per request. */
  target = 0;
  intendedMs = 0;
  /** What the request is sent with. */
  traceId: string | undefined;
  /** When the request was handed to the socket; NaN until then. */
  sentMs = Number.NaN;
  /** When the request has to be over. */
  deadlineMs = 0;
  idleSinceMs = 0;
  openedMs = 0;
  answers = 0;
  busy = false;
  readonly address: string;
  #request: EncodedRequest | undefined;
  #connected = false;
  #open = true;
  #closes = false;
  readonly #secure: boolean;
  readonly #socket: Socket;
  readonly #parser = new ResponseParser();
  readonly #listener: ConnectionListener;

  constructor(origin: Origin, address: string, listener: ConnectionListener) {
    this.address = address;
    this.#secure = origin.secure;
    this.#listener = listener;
    const onread = { buffer: Buffer.allocUnsafe(READ_BUFFER_BYTES), callback: this.#read };
    this.#socket = openSocket(origin, address, { noDelay: true, onread });
    this.#socket.once(origin.secure ? 'secureConnect' : 'connect', this.#onConnect);
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(this.#kindOf(error)));
    this.#socket.once('end', () => this.#onEnd());
    this.#socket.once('close', () => {
      this.#fail('reset');
      this.#listener.closed(this);
    });
  }

  /** Whether the server keeps it for a further request. */
  get isOpen(): boolean {
    return this.#open;
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  /** Whether the next request may go over this connection. */
  isUsable(nowMs: number): boolean {
    if (!this.#open) return false;
    const seconds = this.#parser.keepAliveSeconds;
    return nowMs - this.idleSinceMs < (seconds === undefined ? DEFAULT_IDLE_MS : usableMs(seconds * 1000));
  }

  /** @param nowMs the time of this call: a clock that is asked less often is a measurable part of a fast request */
  send(request: EncodedRequest, nowMs: number): void {
    this.busy = true;
    this.#closes = request.closes;
    this.sentMs = Number.NaN;
    this.#parser.begin(request.isHead);
    if (this.#connected) this.#write(request, nowMs);
    else this.#request = request;
  }

  /** Ends the request under way as failed, and the connection with it. */
  abort(kind: FailureKind): void {
    this.#fail(kind);
  }

  close(): void {
    this.#open = false;
    this.#socket.destroy();
  }

  #onConnect = (): void => {
    this.#connected = true;
    if (this.#request !== undefined) this.#write(this.#request, performance.now());
    this.#request = undefined;
  };

  #write(request: EncodedRequest, nowMs: number): void {
    this.sentMs = nowMs;
    this.#socket.write(this.traceId === undefined ? request.bytes : withTrace(request, this.traceId));
  }

  #read = (length: number, buffer: Uint8Array): boolean => {
    try {
      const isComplete = this.#parser.push((buffer as Buffer).subarray(0, length));
      if (this.busy && isComplete) this.#answered();
      else if (!this.busy && !this.#parser.keepAlive) this.close();
    } catch (error) {
      this.#fail(error instanceof TooLargeError ? 'too-large' : 'protocol');
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
    else this.#fail('reset');
    this.close();
  }

  #fail(kind: FailureKind): void {
    this.close();
    if (!this.busy) return;
    this.busy = false;
    this.#listener.failed(this, kind);
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
