/** The worker's side: changes of one metric since the previous report. */
import { type Family, type LabelSet, toNumber, toText } from '../exposition/family.ts';
import { toLabelsText } from '../exposition/text.ts';
import { type AnyRegistry, gather, type Metric } from '../library.ts';
import { type MetricReport, nowMs, type SeriesDefinition } from './messages.ts';

/** A metric to read, and whether each worker has its own series of it. */
export interface Wanted {
  readonly registry: AnyRegistry;
  readonly metric: Metric;
  readonly isOfProcess: boolean;
}

interface KnownSeries {
  readonly index: number;
  readonly isCount: boolean;
  /** The reported value. */
  value: number;
  seenIn: number;
}

const COUNTING = ['counter', 'histogram', 'summary'];

export class SampleDifferences {
  readonly wanted: Wanted;
  /** Whether the values are summed over workers and survive them. */
  readonly isCounting: boolean;
  /** All its counts up to this time have been reported. */
  knownMs: number;
  readonly #createIndex: () => number;
  readonly #series = new Map<string, KnownSeries>();
  #round = 0;
  #unreported: { readonly family: Family; readonly startedMs: number } | undefined;
  #current = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(wanted: Wanted, knownMs: number, createIndex: () => number) {
    const { type, aggregator } = wanted.metric;
    this.wanted = wanted;
    this.isCounting = !wanted.isOfProcess && aggregator === 'sum' && COUNTING.includes(type);
    this.knownMs = knownMs;
    this.#createIndex = createIndex;
  }

  /** One reading at a time: calls during a reading share the next one. @throws Error that names the metric */
  read(): Promise<void> {
    this.#next ??= this.#current.then(() => {
      this.#next = undefined;
      const reading = this.#read();
      this.#current = reading.catch(() => undefined);
      return reading;
    });
    return this.#next;
  }

  /** Whether another reading will follow the current one. */
  get isQueued(): boolean {
    return this.#next !== undefined;
  }

  async #read(): Promise<void> {
    const startedMs = nowMs();
    const [family] = await gather(this.wanted.registry, [this.wanted.metric]);
    if (family) this.#unreported = { family, startedMs };
  }

  /** Reports the latest reading. @returns undefined without changes */
  take(): MetricReport | undefined {
    if (!this.#unreported) return undefined;
    const { family, startedMs } = this.#unreported;
    this.#unreported = undefined;
    this.knownMs = startedMs;
    const { metric, isOfProcess } = this.wanted;
    const { name, help, type, values: samples } = family;
    const { aggregator, upperBounds: bounds } = metric;
    const series: SeriesDefinition[] = [];
    const values: (number | string)[] = [];
    this.#round++;
    for (const [i, { metricName = null, labels = {}, value }] of samples.entries()) {
      const text = toLabelsText(labels);
      const key = `${metricName}${text}`;
      let known = this.#series.get(key);
      if (!known) {
        // Quantiles of a summary cannot be added.
        const isCount = this.isCounting && !(type === 'summary' && 'quantile' in labels);
        known = { index: this.#createIndex(), isCount, value: isCount ? 0 : Number.NaN, seenIn: 0 };
        this.#series.set(key, known);
        series.push([known.index, metricName, toPlain(labels), isCount]);
      }
      known.seenIn = this.#round;
      // Its count, which follows it, shows whether a sum was reset.
      const count = metricName === `${name}_sum` ? this.#series.get(`${name}_count${text}`) : undefined;
      pushChange(
        values,
        known,
        toNumber(value),
        toNumber(samples[i + 1]?.value) >= (count?.value ?? Infinity),
      );
    }
    const gone = this.#sweep(true);
    if (series.length + values.length + gone.length === 0) return undefined;
    const definition = { name, help, type, aggregator, bounds, isOfProcess };
    return { ...(series.length > 0 && { definition }), series, values, gone };
  }

  /** @returns a report that the metric no longer exists, or, if its application has been closed, only its states */
  drop(isRemoved: boolean): MetricReport {
    this.#round++;
    return { series: [], values: [], gone: this.#sweep(isRemoved) };
  }

  /** Forgets the series that this round did not contain. @returns their numbers */
  #sweep(withCounts: boolean): number[] {
    const gone = [...this.#series].filter(
      ([, { seenIn, isCount }]) => seenIn !== this.#round && (withCounts || !isCount),
    );
    for (const [key] of gone) this.#series.delete(key);
    return gone.map(([, { index }]) => index);
  }
}

/** @param mayFall whether a lower value is no reset: the sum of a histogram of temperatures, for example */
function pushChange(values: (number | string)[], series: KnownSeries, now: number, mayFall: boolean): void {
  const before = series.value;
  if (Object.is(before, now)) return;
  if (!series.isCount) values.push(series.index, Number.isFinite(now) ? now : String(now));
  else {
    // A count that has decreased was reset and starts from 0.
    const added = now < before && !mayFall ? now : now - before;
    if (!Number.isFinite(added)) return;
    values.push(series.index, added);
  }
  series.value = now;
}

const toPlain = (labels: LabelSet): SeriesDefinition[2] =>
  Object.fromEntries(
    Object.entries(labels).map(([name, value]) => [
      name,
      Number.isFinite(value) ? (value as number) : toText(value),
    ]),
  );
