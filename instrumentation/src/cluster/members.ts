/** The primary's list of living workers: what each has reported, and the questions that each has not answered yet. */

import { type FromWorker, type Hello, nowMs, type Question, type ToWorker, toMessage } from './messages.ts';
import type { RequestTotals, SourceTotals } from './request-totals.ts';
import type { RegistryTotals, SampleTotals } from './sample-totals.ts';

/** A worker, as its platform provides it. */
export interface Peer {
  send(message: ToWorker): void;
}

interface Member {
  /** Counts from 1 and is reused. */
  readonly number: number;
  readonly peer: Peer;
  readonly sources: Map<number, SourceTotals>;
  readonly registries: Map<number, RegistryTotals>;
  /** The time of its last report. */
  atMs: number;
  isFinal: boolean;
}

interface Pending {
  readonly left: Set<Member>;
  readonly failures: string[];
  readonly settle: () => void;
}

export class Members {
  /** How many workers ended without a last report. */
  lost = 0;
  /** The time before such ends that no report covers. */
  lostSeconds = 0;
  readonly #members = new Map<Peer, Member>();
  readonly #pending = new Map<number, Pending>();
  readonly #session: number;
  readonly #intervalMs: number;
  readonly #requests: RequestTotals;
  readonly #samples: SampleTotals;
  #asked = 0;

  constructor(session: number, intervalMs: number, requests: RequestTotals, samples: SampleTotals) {
    this.#session = session;
    this.#intervalMs = intervalMs;
    this.#requests = requests;
    this.#samples = samples;
  }

  /** Starts the reports of a worker. A worker in which nothing counts requests yet announces itself later. */
  greet(peer: Peer): void {
    peer.send(toMessage<Hello>({ kind: 'hello', session: this.#session, intervalMs: this.#intervalMs }));
  }

  receive(peer: Peer, message: FromWorker): void {
    if (message.kind === 'announcement') {
      if (!this.#members.has(peer)) this.#join(peer, message.atMs);
      this.greet(peer);
      return;
    }
    if (message.session !== this.#session) return;
    const member = this.#members.get(peer) ?? this.#join(peer, nowMs());
    if (message.kind === 'requests') {
      for (const report of message.sources) {
        let source = member.sources.get(report.index);
        if (!source && report.definition) {
          source = this.#requests.open(report.definition);
          member.sources.set(report.index, source);
        }
        source?.add(report);
      }
      this.#endMissing(
        member,
        message.sources.map(({ index }) => index),
      );
      Object.assign(member, { atMs: message.atMs, isFinal: message.isFinal });
      return;
    }
    for (const report of message.registries) {
      const registry = member.registries.get(report.index) ?? this.#samples.open(member.number);
      member.registries.set(report.index, registry);
      registry.add(report);
    }
    if (message.question !== undefined) this.#answered(member, message.question, message.error);
  }

  /** Drops a worker and keeps its counts. */
  end(peer: Peer): void {
    const member = this.#members.get(peer);
    if (!member) return;
    this.#members.delete(peer);
    if (!member.isFinal) {
      this.lost++;
      this.lostSeconds += (nowMs() - member.atMs) / 1000;
    }
    for (const source of member.sources.values()) source.end();
    for (const registry of member.registries.values()) registry.end();
    for (const id of this.#pending.keys()) this.#answered(member, id);
  }

  /** Asks all workers and waits for their answers. @throws Error of the collectors that failed */
  async ask(timeoutMs: number): Promise<void> {
    const id = ++this.#asked;
    const left = new Set(this.#members.values());
    if (left.size === 0) return;
    const failures: string[] = [];
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      const settle = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#pending.set(id, { left, failures, settle });
      for (const { peer } of left) peer.send(toMessage<Question>({ kind: 'question', question: id }));
    });
    this.#pending.delete(id);
    if (failures.length > 0) throw new Error(failures.join('; '));
  }

  /** The age of what is known of each worker, in seconds. */
  ages(): readonly { readonly worker: string; readonly seconds: number }[] {
    const now = nowMs();
    return Array.from(this.#members.values(), ({ number, atMs }) => {
      return { worker: String(number), seconds: Math.max(now - atMs, 0) / 1000 };
    });
  }

  #join(peer: Peer, atMs: number): Member {
    const taken = new Set([...this.#members.values()].map(({ number }) => number));
    let number = 1;
    while (taken.has(number)) number++;
    const member = { number, peer, sources: new Map(), registries: new Map(), atMs, isFinal: false };
    this.#members.set(peer, member);
    return member;
  }

  /** A closed application is missing from the report. */
  #endMissing({ sources }: Member, indexes: readonly number[]): void {
    for (const [index, source] of sources) {
      if (indexes.includes(index)) continue;
      source.end();
      sources.delete(index);
    }
  }

  #answered(member: Member, id: number, failure?: string): void {
    const pending = this.#pending.get(id);
    if (!pending?.left.delete(member)) return;
    if (failure !== undefined) pending.failures.push(`worker ${member.number}: ${failure}`);
    if (pending.left.size === 0) pending.settle();
  }
}
