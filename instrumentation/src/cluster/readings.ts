/**
 * The worker's side: reads the metrics of its registries, except those of requests. Each is read separately, so a collector
 * that fails or never ends affects no other metric.
 */
import { setImmediate } from 'node:timers/promises';
import { reasonOf } from '../exposition/family.ts';
import { type Metric, metricsOf } from '../library.ts';
import { type MetricReport, nowMs } from './messages.ts';
import { SampleDifferences, type Wanted } from './sample-differences.ts';

/** @param question the question that is now answered @param error the reason why a metric has no new values */
type Send = (metrics: readonly MetricReport[], question?: number, error?: string) => void;

export class Readings {
  readonly #list: () => readonly Wanted[];
  readonly #send: Send;
  readonly #known = new Map<Metric, SampleDifferences>();
  #dropped: MetricReport[] = [];
  #listedMs = nowMs();
  #series = 0;

  /** @param list returns the metrics that exist now */
  constructor(list: () => readonly Wanted[], send: Send) {
    this.#list = list;
    this.#send = send;
  }

  /** The time up to which all counts have been sent; infinite without counts. */
  knownMs(): number {
    return Math.min(...this.#counting().map(({ knownMs }) => knownMs));
  }

  /** Reads and sends the metrics that count, except those that wait for a slow collector. */
  readCounts(): void {
    const counting = this.#counting();
    if (counting.length > 0) void this.#read(counting.filter(({ isQueued }) => !isQueued));
  }

  /** Reads and sends all metrics, or only those that count. @returns the first failure */
  read(isAll: boolean, question?: number): Promise<string | undefined> {
    return this.#read(isAll ? this.#wanted() : this.#counting(), question);
  }

  async #read(metrics: readonly SampleDifferences[], question?: number): Promise<string | undefined> {
    const results = Promise.allSettled(metrics.map((metric) => metric.read()));
    // Slow collectors do not delay the other metrics.
    if (await Promise.race([results.then(() => false), setImmediate(true)])) this.#flush();
    const failed = (await results).find((one) => one.status === 'rejected');
    const error = failed && reasonOf(failed.reason);
    this.#flush(question, error);
    return error;
  }

  #flush(question?: number, error?: string): void {
    const taken = Array.from(this.#known.values(), (one) => one.take() ?? []).flat();
    this.#send([...this.#dropped.splice(0), ...taken], question, error);
  }

  #counting(): readonly SampleDifferences[] {
    return this.#wanted().filter(({ isCounting }) => isCounting);
  }

  /** The metrics of the list. Drops all others. */
  #wanted(): readonly SampleDifferences[] {
    const listed = new Map(this.#list().map((wanted) => [wanted.metric, wanted]));
    for (const [metric, known] of this.#known) {
      if (listed.has(metric)) continue;
      const isRemoved = !metricsOf(known.wanted.registry).includes(metric);
      if (isRemoved) this.#known.delete(metric);
      const report = known.drop(isRemoved);
      if (report.gone.length > 0) this.#dropped.push(report);
    }
    const all = Array.from(listed, ([metric, wanted]) => {
      const known =
        this.#known.get(metric) ?? new SampleDifferences(wanted, this.#listedMs, () => this.#series++);
      this.#known.set(metric, known);
      return known;
    });
    this.#listedMs = nowMs();
    return all;
  }
}
