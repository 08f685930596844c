/**
 * The worker's side: reports the counts of its instrumented applications at an interval, when the primary asks for them,
 * and when the worker ends. Request counts are sent immediately and never wait for the collectors of other metrics.
 */
import { metricsOf } from '../library.ts';
import { within } from '../within.ts';
import { createLink, type Link } from './link.ts';
import { type FromWorker, nowMs, type SourceReport } from './messages.ts';
import { Readings } from './readings.ts';
import { createRequestDifferences } from './request-differences.ts';
import type { Wanted } from './sample-differences.ts';
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
  #readings: Readings | undefined;
  /** Closed applications whose registries still have to be reported once. */
  readonly #closing = new Set<Source>();
  #added = 0;
  /** Undefined until the primary aggregates. */
  #session: number | undefined;
  #question: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #requestsMs = 0;
  #unsent = 0;
  /** Whether all other counts were read when the worker began to end. */
  #isComplete = false;
  #greet = () => {};
  readonly #greeted = new Promise<void>((resolve) => {
    this.#greet = resolve;
  });

  constructor(link: Link) {
    this.#link = link;
    link.listen((message) => {
      if (message.kind === 'hello') return this.#begin(message.session, message.intervalMs);
      // Also shows the primary that the event loop is not blocked.
      void this.#sendRequests();
      if (message.question === this.#question) return;
      this.#question = message.question;
      void this.#readings?.read(true, message.question);
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
        await this.#readings?.read(false);
        this.#closing.delete(source);
      },
    };
  }

  #track(source: Source): void {
    this.#sources.set(source, createRequestDifferences(source, this.#added++));
  }

  #begin(session: number, intervalMs: number): void {
    if (this.#session === session) return;
    if (this.#session === undefined) {
      this.#link.watchEnd(
        () => this.#handOver(),
        // There is no time left to read other counts.
        () => void this.#sendRequests(this.#isComplete || this.#readings?.knownMs() === Infinity),
      );
    }
    this.#session = session;
    this.#question = undefined;
    // The previous reports went to another aggregate.
    const readings = new Readings(
      () => this.#wanted(),
      (metrics, question, error) =>
        void this.#send({ kind: 'samples', session, atMs: this.#knownMs(), metrics, question, error }),
    );
    this.#readings = readings;
    for (const source of this.#sources.keys()) this.#track(source);
    clearInterval(this.#timer);
    const send = () => {
      // Avoids sending more and more messages to a primary that has fallen behind.
      if (this.#unsent > 0) return;
      void this.#sendRequests();
      readings.readCounts();
    };
    this.#timer = setInterval(send, intervalMs).unref();
    send();
    this.#greet();
  }

  async #handOver(): Promise<void> {
    const complete = this.#readings?.read(false).then((failure) => failure === undefined);
    this.#isComplete = complete ? await within(END_MS, complete, () => false, false) : true;
    await this.#sendRequests(this.#isComplete);
  }

  async #sendRequests(isFinal = false): Promise<void> {
    const session = this.#session;
    const takes = session === undefined ? [] : [...this.#sources];
    const sources = takes.map(([source, take]) => {
      source.refresh();
      return take();
    });
    this.#requestsMs = nowMs();
    await this.#send({ kind: 'requests', session, atMs: this.#knownMs(), isFinal, sources });
  }

  /** The time up to which all counts have been sent. */
  #knownMs(): number {
    return Math.min(this.#requestsMs, this.#readings?.knownMs() ?? this.#requestsMs);
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

  /** The metrics of all registries, except those of requests. */
  #wanted(): Wanted[] {
    const sources = [...this.#sources.keys(), ...this.#closing];
    return [...new Set(sources.map(({ registry }) => registry))].flatMap((registry) =>
      metricsOf(registry).flatMap((metric) => {
        const owner = sources.find((source) => source.registry === registry && source.own.has(metric));
        const isWanted = owner
          ? this.#link.processMetrics.test(metric.name.slice(owner.prefix.length))
          : metric.aggregator !== 'omit';
        return isWanted ? [{ registry, metric, isOfProcess: owner !== undefined }] : [];
      }),
    );
  }
}
