/**
 * The addresses behind the name of a target. If there are several (the replicas of a service), requests use them in turn, so that
 * the load is spread over all of them.
 */
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, isIP } from 'node:net';
import { reasonOf, UnreachableError } from '../common/errors.ts';
import { sleep } from '../common/wait.ts';
import type { Origin } from './origin.ts';

const PROBE_TIMEOUT_MS = 2_000;
const RETRY_MS = 250;
const REFRESH_MS = 1_000;
/** While the name is in use, it is looked up again after this time, because replicas come and go. */
const MAX_AGE_MS = 5_000;
/** How long to avoid a draining server; by then it has usually exited or restarted. */
const LEAVE_MS = 12_000;

/** The addresses of an origin that accept connections, used in turn. */
export class Addresses {
  #list: readonly string[];
  #turn = 0;
  #refreshedAt: number | undefined;
  #refreshing = false;
  /** Addresses to avoid, each with the time until which to avoid it. They are used if there are no others. */
  readonly #leftUntil = new Map<string, number>();
  readonly #origin: Origin;

  constructor(origin: Origin, list: readonly string[]) {
    this.#origin = origin;
    this.#list = list;
  }

  next(nowMs: number): string {
    this.#refreshedAt ??= nowMs;
    // An IP address never resolves to another one.
    const isOld = nowMs - this.#refreshedAt > MAX_AGE_MS && !isIP(this.#origin.hostname);
    if (isOld) void this.refresh(nowMs);
    const address = this.#list[this.#turn++ % this.#list.length];
    if (address === undefined) throw new Error('an origin without addresses');
    return address;
  }

  includes(address: string): boolean {
    return this.#list.includes(address);
  }

  /** Removes an address where no server listens. @returns whether there are others; the last one stays, so that requests report it */
  remove(address: string, nowMs: number): boolean {
    void this.refresh(nowMs);
    return this.#drop(address);
  }

  /** Avoids an address whose server is draining, if there are others. The server still accepts connections. */
  leave(address: string, nowMs: number): void {
    if (this.includes(address) && this.#drop(address)) this.#leftUntil.set(address, nowMs + LEAVE_MS);
  }

  /** Looks up the name again, because a replaced replica has a new address. Never rejects. */
  async refresh(nowMs: number): Promise<void> {
    const isRecent = this.#refreshedAt !== undefined && nowMs - this.#refreshedAt < REFRESH_MS;
    if (this.#refreshing || isRecent) return;
    this.#refreshing = true;
    try {
      const accepting = await acceptingAddresses(this.#origin);
      for (const [address, until] of this.#leftUntil) if (until < nowMs) this.#leftUntil.delete(address);
      const list = accepting.filter((address) => !this.#leftUntil.has(address));
      if (list.length > 0) this.#list = list;
    } catch {
      // Keeps the old addresses; requests report the errors.
    } finally {
      this.#refreshedAt = nowMs;
      this.#refreshing = false;
    }
  }

  #drop(address: string): boolean {
    let others = this.#list.filter((other) => other !== address);
    if (others.length === 0) {
      others = [...this.#leftUntil.keys()].filter((other) => other !== address);
      this.#leftUntil.clear();
    }
    if (others.length > 0) this.#list = others;
    return others.length > 0;
  }
}

/**
 * Waits until the target accepts connections. Sends no request, because the target would count it.
 * @param onWait called with the reason if a wait is necessary, once
 * @throws UnreachableError if no address accepts a connection within `waitMs`
 */
export async function waitForTarget(
  origin: Origin,
  waitMs: number,
  onWait: (reason: string) => void,
  signal: AbortSignal,
): Promise<Addresses> {
  const deadline = performance.now() + waitMs;
  for (let first = true; ; first = false) {
    let reason = '';
    try {
      const list = await acceptingAddresses(origin);
      if (list.length > 0) return new Addresses(origin, list);
    } catch (error) {
      reason = reasonOf(error);
    }
    signal.throwIfAborted();
    if (performance.now() >= deadline) {
      throw new UnreachableError(
        `${origin.url} did not accept a connection within ${waitMs / 1000} s: ${reason}`,
      );
    }
    if (first) onWait(reason);
    await sleep(RETRY_MS, signal);
  }
}

/** The addresses of the name that accept connections. `localhost` often has two, and a server listens on only one. */
async function acceptingAddresses(origin: Origin): Promise<string[]> {
  const found = isIP(origin.hostname)
    ? [origin.hostname]
    : (await lookup(origin.hostname, { all: true })).map((a) => a.address);
  const probes = await Promise.allSettled(found.map((address) => probe(address, origin.port)));
  const accepting = found.filter((_, index) => probes[index]?.status === 'fulfilled');
  const failed = probes.find((p) => p.status === 'rejected');
  if (accepting.length === 0) throw failed?.reason ?? new Error('the name has no address');
  return accepting;
}

/** @throws the error of the connection, or of the timeout */
async function probe(host: string, port: number): Promise<void> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
  } finally {
    socket.destroy();
  }
}
