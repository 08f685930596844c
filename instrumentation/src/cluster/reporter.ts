/**
 * The worker's side: reports the counts of its instrumented applications at an interval, when the primary asks for them,
 * and when the worker ends. Request counts are sent immediately and never wait for the collectors of other metrics.
 */
import { reasonOf } from '../exposition/family.ts';
import { type AnyRegistry, metricsOf } from '../library.ts';
import { createLink, type Link } from './link.ts';
import { type FromWorker, nowMs, type SourceReport } from './messages.ts';
import { createRequestDifferences } from './request-differences.ts';
import { isCounting, SampleDifferences, type Wanted } from './sample-differences.ts';
import type { Joined, Source } from './source.ts';

/** How long the end of a process waits for the collectors of metrics. */
const END_MS = 1_000;

const KEY: unique symbol = Symbol.for('express-exact-metrics: reporter');

/** Shared by all copies of this package. */
export function reporterOfProcess(): Reporter {
  const shared = globalThis as { [KEY]?: Reporter };
  shared[KEY] ??= new Reporter(createLink());
  return shared[KEY];
}

export class Reporter {
  readonly #link: Link;
  /** Each source with a function that takes its next report. */
  readonly #sources = new Map<Source, () => SourceReport>();
  readonly #registries = new Map<AnyRegistry, SampleDifferences>();
  /** Closed applications whose registries still have to be reported once. */
  readonly #closing = new Set<Source>();
  #added = 0;
  /** Undefined until the primary aggregates. */
  #session: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #unsent = 0;
  #sampling = Promise.resolve();
  #hasHandedOver = false;
  #greet = () => {};
  readonly #greeted = new Promise<void>((resolve) => {
    this.#greet = resolve;
  });

  constructor(link: Link) {
    this.#link = link;
    link.listen((message) => {
      if (message.kind === 'hello') return this.#begin(message.session, message.intervalMs);
      void this.#sendRequests();
      void this.#sendSamples(true, message.question);
    });
  }

  add(source: Source): Joined {
    this.#track(source);
    void this.#sendRequests();
    return {
      handOver: async (done) => {
        await this.#greeted;
        await this.#handOver();
        done();
      },
      leave: async () => {
        void this.#sendRequests();
        this.#sources.delete(source);
        this.#closing.add(source);
        await this.#sendSamples(false);
        this.#closing.delete(source);
      },
    };
  }

  #track(source: Source): void {
    const { registry } = source;
    this.#sources.set(source, createRequestDifferences(source, this.#added++));
    if (!this.#registries.has(registry))
      this.#registries.set(registry, new SampleDifferences(registry, this.#added++));
  }

  #begin(session: number, intervalMs: number): void {
    if (this.#session === session) return;
    if (this.#session === undefined) {
      this.#link.watchEnd(
        () => this.#handOver(),
        // There is no time left to read the counts of other metrics.
        () => void this.#sendRequests(this.#hasHandedOver || !this.#hasOtherCounts()),
      );
    }
    this.#session = session;
    // The previous reports went to another aggregate.
    this.#registries.clear();
    for (const source of this.#sources.keys()) this.#track(source);
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#sendRegularly(), intervalMs).unref();
    this.#sendRegularly();
    this.#greet();
  }

  #sendRegularly(): void {
    // Avoids sending more and more messages to a primary that has fallen behind.
    if (this.#unsent > 0) return;
    void this.#sendRequests();
    if (this.#hasOtherCounts()) void this.#sendSamples(false);
  }

  async #handOver(): Promise<void> {
    const late = new Promise<void>((resolve) => setTimeout(resolve, END_MS).unref());
    if (this.#hasOtherCounts()) await Promise.race([this.#sendSamples(false), late]);
    this.#hasHandedOver = true;
    await this.#sendRequests(true);
  }

  async #sendRequests(isFinal = false): Promise<void> {
    const session = this.#session;
    const takes = session === undefined ? [] : [...this.#sources];
    const sources = takes.map(([source, take]) => {
      source.refresh();
      return take();
    });
    await this.#send({ kind: 'requests', session, atMs: nowMs(), isFinal, sources });
  }

  /** Takes one report at a time, because each contains the differences from the previous one. */
  #sendSamples(isAll: boolean, question?: number): Promise<void> {
    this.#sampling = this.#sampling.then(async () => {
      const session = this.#session;
      const taken = await Promise.allSettled(
        Array.from(this.#registries, ([registry, differences]) =>
          differences.take(this.#wantedOf(registry, isAll), isAll),
        ),
      );
      const registries = taken.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      const failed = taken.find((one) => one.status === 'rejected');
      const error = failed && reasonOf(failed.reason);
      await this.#send({ kind: 'samples', session, atMs: nowMs(), question, error, registries });
    });
    return this.#sampling;
  }

  #send(report: FromWorker): Promise<void> {
    this.#unsent++;
    return new Promise((resolve) => {
      this.#link.send(report, () => {
        this.#unsent--;
        resolve();
      });
    });
  }

  #hasOtherCounts(): boolean {
    return [...this.#registries.keys()].some((registry) => this.#wantedOf(registry, false).length > 0);
  }

  /** @param isAll if false, only metrics that add up and must not be lost */
  #wantedOf(registry: AnyRegistry, isAll: boolean): Wanted[] {
    const users = [...this.#sources.keys(), ...this.#closing].filter(
      (source) => source.registry === registry,
    );
    const all = users.length === 0 ? [] : metricsOf(registry);
    return all.flatMap((metric) => {
      const owner = users.find(({ own }) => own.has(metric));
      const wanted = { metric, isOfProcess: owner !== undefined };
      const isWanted = owner
        ? isAll && this.#link.processMetrics.test(metric.name.slice(owner.prefix.length))
        : isCounting(wanted) || (isAll && metric.aggregator !== 'omit');
      return isWanted ? [wanted] : [];
    });
  }
}
