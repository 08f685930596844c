/**
 * The HTTP/1.1 client of the generator. Requests use the target's addresses in turn, so that replicas get equal shares. Connections
 * are opened on demand; among idle ones, the most recently used is preferred. The client knows neither schedule nor pattern: it
 * either starts a request immediately or reports that it cannot.
 *
 * Why not undici: against a server that is not the bottleneck, undici's leanest interface costs twice as much per request (figures
 * in tools/bench/results/loadgen-throughput.md). undici could report whether a failed request had been sent, which the verification
 * needs, through its diagnostics channel (`undici:client:sendHeaders`).
 */
import type { FailureKind, Recorder } from '../common/result.ts';
import type { Addresses } from './addresses.ts';
import { Connection, type ConnectionListener } from './connection.ts';
import type { Origin } from './origin.ts';
import type { EncodedRequest } from './request.ts';

export interface ClientOptions {
  readonly origin: Origin;
  readonly addresses: Addresses;
  /** One encoded request per target, by the target's index. */
  readonly requests: readonly EncodedRequest[];
  readonly connections: number;
  /** From the start of a request, including connecting, to the end of its response. */
  readonly timeoutMs: number;
  readonly recorder: Recorder;
  /** Returns the trace id of the next request, if the request reserves space for one. */
  readonly nextTraceId?: (() => string) | undefined;
}

/** Timeouts are checked periodically: a timer per request would cost more than all other bookkeeping together. */
const MAX_SWEEP_MS = 50;

/** The limit for a handshake if there are other addresses. A lost packet is retransmitted after one second. */
const CONNECT_TIMEOUT_MS = 2_500;

type Sending = Pick<Connection, 'target' | 'intendedMs' | 'deadlineMs' | 'traceId'>;

interface Peer {
  readonly idle: Connection[];
  /** By target index: 1 once the server has kept a connection open after a response to that target. */
  readonly kept: Uint8Array;
}

export class HttpClient implements ConnectionListener {
  /** Called after the end of each request; `answered` is false if it got no complete response. */
  onFree: (answered: boolean) => void = () => {};
  /** The number of requests that were sent to another address of the name, because no server listened at the first. */
  rerouted = 0;
  #inFlight = 0;
  #closedBytesRead = 0;
  #closedBytesWritten = 0;
  readonly #peers = new Map<string, Peer>();
  readonly #all = new Set<Connection>();
  readonly #options: ClientOptions;
  readonly #sweeper: NodeJS.Timeout;

  constructor(options: ClientOptions) {
    this.#options = options;
    // After events that arrived while the process could not run: a response that was in time is no timeout.
    const sweep = () => void setImmediate(() => this.#sweep());
    this.#sweeper = setInterval(sweep, Math.min(MAX_SWEEP_MS, options.timeoutMs / 4));
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get bytesRead(): number {
    return this.#sum(this.#closedBytesRead, ({ socket }) => socket.bytesRead);
  }

  get bytesWritten(): number {
    return this.#sum(this.#closedBytesWritten, ({ socket }) => socket.bytesWritten);
  }

  /** Starts a request. @returns false, without starting it, if the maximum number is in flight */
  start(target: number, intendedMs: number): boolean {
    const { connections, timeoutMs, requests, nextTraceId } = this.#options;
    if (this.#inFlight >= connections) return false;
    const request = requests[target];
    if (request === undefined) throw new RangeError(`no target ${target}`);
    const nowMs = performance.now();
    this.#inFlight++;
    const traceId = request.tracedAt === undefined ? undefined : nextTraceId?.();
    this.#send(request, { target, intendedMs, deadlineMs: nowMs + timeoutMs, traceId }, nowMs);
    return true;
  }

  /** Closes all connections; requests in flight end as resets. */
  close(): void {
    clearInterval(this.#sweeper);
    for (const connection of this.#all) connection.fail('reset');
  }

  answered(connection: Connection, status: number): void {
    const nowMs = performance.now();
    const { target, intendedMs, sentMs, traceId } = connection;
    this.#options.recorder.recordAnswer(target, status, intendedMs, sentMs, nowMs, traceId);
    connection.idleSinceMs = nowMs;
    this.#keep(connection, nowMs);
    this.#inFlight--;
    this.onFree(true);
  }

  failed(connection: Connection, kind: FailureKind): void {
    const nowMs = performance.now();
    if (this.#reroute(connection, kind, nowMs)) return;
    const { target, intendedMs, sentMs, traceId } = connection;
    this.#options.recorder.recordFailure(target, kind, intendedMs, sentMs, nowMs, traceId);
    if (Number.isNaN(sentMs)) void this.#options.addresses.refresh(nowMs);
    this.#inFlight--;
    this.onFree(false);
  }

  closed(connection: Connection): void {
    this.#all.delete(connection);
    this.#closedBytesRead += connection.socket.bytesRead;
    this.#closedBytesWritten += connection.socket.bytesWritten;
  }

  /**
   * Nothing has been sent on a refused connection, so its request may go to another address. A request that was sent is never
   * repeated.
   */
  #reroute(connection: Connection, kind: FailureKind, nowMs: number): boolean {
    const { address, target, sentMs, deadlineMs } = connection;
    const carriedNothing = Number.isNaN(sentMs) && (kind === 'refused' || kind === 'unreachable');
    const request = this.#options.requests[target];
    if (!carriedNothing || deadlineMs <= nowMs || request === undefined) return false;
    if (!this.#options.addresses.remove(address, nowMs)) return false;
    // The next server at this address may behave differently.
    this.#peerAt(address).kept.fill(0);
    this.rerouted++;
    this.#send(request, connection, nowMs);
    return true;
  }

  #send(request: EncodedRequest, { target, intendedMs, deadlineMs, traceId }: Sending, nowMs: number): void {
    const connection = this.#take(nowMs);
    connection.target = target;
    connection.intendedMs = intendedMs;
    connection.deadlineMs = deadlineMs;
    connection.traceId = traceId;
    connection.send(request, nowMs);
  }

  /**
   * Keeps the connection for the next request, unless its server is draining. A draining server closes even a new connection after
   * the first response, for a target after whose responses it used to keep connections open. In contrast, a server that limits the
   * requests per connection keeps new connections, and a server that always closes after certain responses has never kept a
   * connection after those.
   */
  #keep(connection: Connection, nowMs: number): void {
    const { addresses } = this.#options;
    const { address, isOpen, target, answers } = connection;
    const { idle, kept } = this.#peerAt(address);
    if (isOpen) kept[target] = 1;
    else if (answers === 1 && kept[target] === 1) addresses.leave(address, nowMs);
    if (addresses.includes(address)) {
      if (isOpen) idle.push(connection);
      return;
    }
    // The server is draining, or no longer listens.
    connection.close();
    for (const other of idle.splice(0)) other.close();
  }

  #take(nowMs: number): Connection {
    const address = this.#options.addresses.next(nowMs);
    const { idle } = this.#peerAt(address);
    for (let candidate = idle.pop(); candidate !== undefined; candidate = idle.pop()) {
      if (candidate.isUsable(nowMs)) return candidate;
      candidate.close();
    }
    const connection = new Connection(this.#options.origin, address, this);
    connection.openedMs = nowMs;
    this.#all.add(connection);
    return connection;
  }

  #peerAt(address: string): Peer {
    let peer = this.#peers.get(address);
    if (peer === undefined) {
      peer = { idle: [], kept: new Uint8Array(this.#options.requests.length) };
      this.#peers.set(address, peer);
    }
    return peer;
  }

  #sum(closed: number, of: (connection: Connection) => number): number {
    return [...this.#all].reduce((sum, connection) => sum + of(connection), closed);
  }

  #sweep(): void {
    const nowMs = performance.now();
    for (const connection of this.#all) {
      if (!connection.busy) continue;
      if (connection.deadlineMs <= nowMs) connection.fail('timeout');
      // No server responds at this address, for example because the container was just removed; another address may work.
      else if (Number.isNaN(connection.sentMs) && nowMs - connection.openedMs > CONNECT_TIMEOUT_MS)
        this.#giveUpConnecting(connection, nowMs);
    }
  }

  #giveUpConnecting(connection: Connection, nowMs: number): void {
    const { addresses } = this.#options;
    const hasOthers = !addresses.includes(connection.address) || addresses.remove(connection.address, nowMs);
    if (hasOthers) connection.fail('unreachable');
  }
}
