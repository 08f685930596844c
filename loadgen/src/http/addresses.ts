/**
 * The addresses behind the name of a target. A name with several (the replicas of a service) gives them in turn, so that
 * the load spreads over all of them.
 */
import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import { reasonOf, UnreachableError } from '../common/errors.ts';
import { sleep } from '../common/wait.ts';
import type { Origin } from './origin.ts';

const PROBE_TIMEOUT_MS = 2_000;
const RETRY_MS = 250;
const REFRESH_MS = 1_000;
/** A name is looked up again this often while it is used: replicas come and go. */
const MAX_AGE_MS = 5_000;
/** A draining server gets no requests for so long: as a rule it has ended by then, or restarted. */
const LEAVE_MS = 12_000;

/** The addresses of an origin that accept connections, handed out in turn. */
export class Addresses {
  #list: readonly string[];
  #turn = 0;
  #refreshedAt: number | undefined;
  #refreshing = false;
  /** Addresses that are left, until when. They are of use again when there are no others. */
  readonly #leftUntil = new Map<string, number>();
  readonly #origin: Origin;

  constructor(origin: Origin, list: readonly string[]) {
    this.#origin = origin;
    this.#list = list;
  }

  next(nowMs: number): string {
    this.#refreshedAt ??= nowMs;
    // An address has no others to become.
    const isOld = nowMs - this.#refreshedAt > MAX_AGE_MS && !isIP(this.#origin.hostname);
    if (isOld) void this.refresh(nowMs);
    const address = this.#list[this.#turn++ % this.#list.length];
    if (address === undefined) throw new Error('an origin without addresses');
    return address;
  }

  includes(address: string): boolean {
    return this.#list.includes(address);
  }

  /** Nothing listens there. @returns whether there are others; otherwise it stays, so that the requests tell what is wrong */
  remove(address: string, nowMs: number): boolean {
    void this.refresh(nowMs);
    return this.#drop(address);
  }

  /** The server there drains: others get the next requests, if there are others. It still accepts connections. */
  leave(address: string, nowMs: number): void {
    if (this.includes(address) && this.#drop(address)) this.#leftUntil.set(address, nowMs + LEAVE_MS);
  }

  /** Looks the name up again: a replica that was replaced has another address. Never rejects. */
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
      // The old addresses stay; the requests themselves report what is wrong with them.
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
 * Waits until the target accepts connections. It sends no request, because a request would be counted.
 * @param onWait called once when it has to wait, with the reason
 * @throws UnreachableError when nothing accepted within `waitMs`
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

/** Those addresses of the name that accept. `localhost` often has two, of which a server listens on one. */
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

function probe(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: PROBE_TIMEOUT_MS });
    const settle = (act: () => void) => {
      socket.destroy();
      act();
    };
    socket.once('connect', () => settle(resolve));
    socket.once('timeout', () => settle(() => reject(new Error(`connect ${host}:${port} timed out`))));
    socket.once('error', (error) => settle(() => reject(error)));
  });
}
