/** The primary's list of living workers, each with its reports and the questions that it has not answered yet. */
import type { Family } from '../exposition/family.ts';
import { within } from '../within.ts';
import {
  type FromWorker,
  type MetricReport,
  nowMs,
  type RequestReport,
  type SampleReport,
  type SourceReport,
  type Totals,
  type ToWorker,
} from './messages.ts';
import { RequestTotals } from './request-totals.ts';
import { SampleTotals } from './sample-totals.ts';

interface Member {
  /** Starts at 1. A number is reused after its worker has ended. */
  readonly number: number;
  readonly sources: Map<number, Totals<SourceReport>>;
  readonly samples: Totals<MetricReport>;
  /** The time up to which it has reported all counts. */
  atMs: number;
  isFinal: boolean;
  /** When its last message arrived. */
  heardMs: number;
}

/** @template Worker the platform's type of a worker */
export class Members<Worker> {
  /** The number of workers that ended without a last report. */
  lost = 0;
  /** The total time from the latest reports of these workers to their ends, in seconds. */
  lostSeconds = 0;
  /** The metrics of all workers, except those of requests. */
  readonly samples: SampleTotals;
  readonly #members = new Map<Worker, Member>();
  /** By question, the function that receives each worker's answer. */
  readonly #pending = new Map<number, (member: Member, failure?: string) => void>();
  readonly #session = nowMs();
  readonly #send: (worker: Worker, message: ToWorker) => void;
  readonly #intervalMs: number;
  readonly #requests: RequestTotals;
  #asked = 0;

  constructor(
    send: (worker: Worker, message: ToWorker) => void,
    intervalMs: number,
    warn: (message: string) => void,
  ) {
    this.#send = send;
    this.#intervalMs = intervalMs;
    this.#requests = new RequestTotals(warn);
    this.samples = new SampleTotals(warn);
  }

  /** Asks a worker to start reporting. A worker without an instrumented application announces itself later. */
  greet(worker: Worker): void {
    this.#send(worker, { kind: 'hello', session: this.#session, intervalMs: this.#intervalMs });
  }

  receive(worker: Worker, message: FromWorker): void {
    if (message.session !== undefined && message.session !== this.#session) return;
    const member = this.#members.get(worker) ?? this.#join(worker, message.atMs);
    member.heardMs = nowMs();
    if (message.session === undefined) this.greet(worker);
    else if (message.kind === 'requests') this.#addRequests(member, message);
    else this.#addSamples(member, message);
  }

  #addRequests(member: Member, { atMs, isFinal, sources }: RequestReport): void {
    Object.assign(member, { atMs, isFinal });
    for (const report of sources) {
      const { index, definition } = report;
      const known = member.sources.get(index) ?? (definition && this.#requests.open(definition));
      // If this worker was considered ended before, it does not define its applications again.
      if (!known) continue;
      member.sources.set(index, known);
      known.add(report);
    }
    for (const [index, closed] of member.sources) {
      if (sources.some((one) => one.index === index)) continue;
      closed.end();
      member.sources.delete(index);
    }
  }

  #addSamples(member: Member, { atMs, metrics, question, error }: SampleReport): void {
    member.atMs = atMs;
    for (const report of metrics) member.samples.add(report);
    if (question !== undefined) this.#pending.get(question)?.(member, error);
  }

  /** Drops a worker and keeps its counts. */
  end(worker: Worker): void {
    const member = this.#members.get(worker);
    if (!member) return;
    this.#members.delete(worker);
    if (!member.isFinal) {
      this.lost++;
      this.lostSeconds += (nowMs() - member.atMs) / 1000;
    }
    for (const totals of [...member.sources.values(), member.samples]) totals.end();
    for (const answer of this.#pending.values()) answer(member);
  }

  /**
   * Asks all workers and waits for their answers, as long as a worker with a slow collector sends anything within `timeoutMs`.
   * @throws Error of the collectors that failed
   */
  async ask(timeoutMs: number): Promise<void> {
    const left = new Map(Array.from(this.#members, ([worker, member]) => [member, worker]));
    const question = ++this.#asked;
    const failures: string[] = [];
    const answers = new Promise<void>((resolve) => {
      this.#pending.set(question, (member, failure) => {
        if (!left.delete(member)) return;
        if (failure !== undefined) failures.push(`worker ${member.number}: ${failure}`);
        if (left.size === 0) resolve();
      });
    });
    while (left.size > 0) {
      const askedMs = nowMs();
      for (const worker of left.values()) this.#send(worker, { kind: 'question', question });
      await within(timeoutMs, answers, () => undefined);
      for (const member of left.keys()) if (member.heardMs < askedMs) left.delete(member);
    }
    this.#pending.delete(question);
    if (failures.length > 0) throw new Error(failures.join('; '));
  }

  /** The merged reports of all workers. @throws Error that names a metric with an unknown aggregator */
  read(): readonly Family[] {
    return [...this.#requests.read(), ...this.samples.read()];
  }

  /** The age of each worker's latest report, in seconds. */
  ages(): readonly { readonly labels: { readonly worker: string }; readonly value: number }[] {
    const now = nowMs();
    return Array.from(this.#members.values(), ({ number, atMs }) => {
      return { labels: { worker: String(number) }, value: Math.max(now - atMs, 0) / 1000 };
    });
  }

  #join(worker: Worker, atMs: number): Member {
    const taken = new Set(Array.from(this.#members.values(), ({ number }) => number));
    let number = 1;
    while (taken.has(number)) number++;
    const member = {
      ...{ number, sources: new Map(), samples: this.samples.open(number) },
      ...{ atMs, isFinal: false, heardMs: 0 },
    };
    this.#members.set(worker, member);
    return member;
  }
}
