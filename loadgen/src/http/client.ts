/**
 * The HTTP/1.1 client of the generator. Requests go to the target's addresses in turn, so that replicas get equal shares;
 * connections are opened when needed, and of the idle ones the most recently used goes first. It knows neither schedule nor pattern: it starts a request now, or says that it cannot.
 *
 * Why an own one: against a server that is not the bottleneck, undici's leanest interface costs twice as much per request
 * (figures in bench/results/loadgen-throughput.md). What the proof needs besides, whether a request that failed had left,
 * undici tells as well, through its diagnostics channel (`undici:client:sendHeaders`).
 */
import type { FailureKind, Recorder } from '../common/result.ts';
import type { Addresses } from './addresses.ts';
import { Connection, type ConnectionListener, type EncodedRequest } from './connection.ts';
import type { Origin } from './origin.ts';

export interface ClientOptions {
  readonly origin: Origin;
  readonly addresses: Addresses;
  /** One per target, by the target's index. */
  readonly requests: readonly EncodedRequest[];
  /** The bound on requests in flight. */
  readonly connections: number;
  /** From the start of a request, connecting included, to the end of its answer. */
  readonly timeoutMs: number;
  readonly recorder: Recorder;
}

/** Timeouts are swept instead of armed one by one: a timer per request costs more than the rest of its bookkeeping. */
const MAX_SWEEP_MS = 50;

/** How long a handshake may take where there are other addresses: a lost packet is sent again after one second. */
const CONNECT_TIMEOUT_MS = 2_500;

export class HttpClient implements ConnectionListener {
  /** Called after each request's end; `answered` is false where it got no complete answer. */
  onFree: (answered: boolean) => void = () => {};
  /** Requests that another address of the name took, since nothing listened at the first. */
  rerouted = 0;
  #inFlight = 0;
  #closedBytesRead = 0;
  #closedBytesWritten = 0;
  readonly #idle = new Map<string, Connection[]>();
  readonly #all = new Set<Connection>();
  readonly #options: ClientOptions;
  readonly #sweeper: NodeJS.Timeout;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#sweeper = setInterval(() => this.#sweep(), Math.min(MAX_SWEEP_MS, options.timeoutMs / 4));
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get bytesRead(): number {
    return this.#sum(this.#closedBytesRead, (connection) => connection.bytesRead);
  }

  get bytesWritten(): number {
    return this.#sum(this.#closedBytesWritten, (connection) => connection.bytesWritten);
  }

  /** Starts one request. @returns false, with nothing done, when as many as allowed are in flight */
  start(target: number, intendedMs: number): boolean {
    const { connections, timeoutMs, requests } = this.#options;
    if (this.#inFlight >= connections) return false;
    const request = requests[target];
    if (request === undefined) throw new RangeError(`no target ${target}`);
    const nowMs = performance.now();
    this.#inFlight++;
    this.#send(request, target, intendedMs, nowMs + timeoutMs, nowMs);
    return true;
  }

  /** Closes every connection; a request still under way ends as a reset. */
  close(): void {
    clearInterval(this.#sweeper);
    for (const connection of this.#all) connection.abort('reset');
  }

  answered(connection: Connection, status: number): void {
    const nowMs = performance.now();
    const { target, intendedMs, sentMs } = connection;
    this.#options.recorder.answered(target, status, intendedMs, sentMs, nowMs);
    connection.idleSinceMs = nowMs;
    this.#keep(connection, nowMs);
    this.#inFlight--;
    this.onFree(true);
  }

  failed(connection: Connection, kind: FailureKind): void {
    const nowMs = performance.now();
    if (this.#reroute(connection, kind, nowMs)) return;
    const { target, intendedMs, sentMs } = connection;
    this.#options.recorder.failed(target, kind, intendedMs, sentMs, nowMs);
    if (Number.isNaN(sentMs)) void this.#options.addresses.refresh(nowMs);
    this.#inFlight--;
    this.onFree(false);
  }

  closed(connection: Connection): void {
    this.#all.delete(connection);
    this.#closedBytesRead += connection.bytesRead;
    this.#closedBytesWritten += connection.bytesWritten;
  }

  /** A connection that was refused has carried nothing: its request may go elsewhere. What has left is never sent again. */
  #reroute(
    { address, target, intendedMs, sentMs, deadlineMs }: Connection,
    kind: FailureKind,
    nowMs: number,
  ): boolean {
    const carriedNothing = Number.isNaN(sentMs) && (kind === 'refused' || kind === 'unreachable');
    const request = this.#options.requests[target];
    if (!carriedNothing || deadlineMs <= nowMs || request === undefined) return false;
    if (!this.#options.addresses.remove(address, nowMs)) return false;
    this.rerouted++;
    this.#send(request, target, intendedMs, deadlineMs, nowMs);
    return true;
  }

  #send(
    request: EncodedRequest,
    target: number,
    intendedMs: number,
    deadlineMs: number,
    nowMs: number,
  ): void {
    const connection = this.#take(nowMs);
    connection.target = target;
    connection.intendedMs = intendedMs;
    connection.deadlineMs = deadlineMs;
    connection.send(request, nowMs);
  }

  /**
   * For the next request, unless its server wants to be left: one that has kept connections, and no longer does. Then the
   * idle ones there are only in its way.
   */
  #keep(connection: Connection, nowMs: number): void {
    const { addresses } = this.#options;
    const { address, isOpen } = connection;
    const idle = this.#idle.get(address);
    if (!isOpen && idle !== undefined) addresses.leave(address, nowMs);
    if (isOpen && addresses.includes(address)) this.#idleAt(address).push(connection);
    else if (!addresses.includes(address)) this.#leave(connection);
  }

  #leave(connection: Connection): void {
    connection.close();
    for (const other of this.#idleAt(connection.address).splice(0)) other.close();
  }

  #take(nowMs: number): Connection {
    const address = this.#options.addresses.next(nowMs);
    const idle = this.#idle.get(address) ?? [];
    for (let candidate = idle.pop(); candidate !== undefined; candidate = idle.pop()) {
      if (candidate.isUsable(nowMs)) return candidate;
      candidate.close();
    }
    const connection = new Connection(this.#options.origin, address, this);
    connection.openedMs = nowMs;
    this.#all.add(connection);
    return connection;
  }

  #idleAt(address: string): Connection[] {
    let idle = this.#idle.get(address);
    if (idle === undefined) {
      idle = [];
      this.#idle.set(address, idle);
    }
    return idle;
  }

  #sum(closed: number, of: (connection: Connection) => number): number {
    return [...this.#all].reduce((sum, connection) => sum + of(connection), closed);
  }

  #sweep(): void {
    const nowMs = performance.now();
    for (const connection of this.#all) {
      if (!connection.busy) continue;
      if (connection.deadlineMs <= nowMs) connection.abort('timeout');
      // Nothing has answered there at all, such as a container that has just been removed; another address may.
      else if (Number.isNaN(connection.sentMs) && nowMs - connection.openedMs > CONNECT_TIMEOUT_MS)
        this.#giveUpConnecting(connection, nowMs);
    }
  }

  #giveUpConnecting(connection: Connection, nowMs: number): void {
    const { addresses } = this.#options;
    const hasOthers = !addresses.includes(connection.address) || addresses.remove(connection.address, nowMs);
    if (hasOthers) connection.abort('unreachable');
  }
}
