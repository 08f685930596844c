/** The worker's side: changes of a registry's metrics, except those of requests, since the previous report. */
import { type Family, type LabelSet, toNumber, toText } from '../exposition/family.ts';
import { toLabelsText } from '../exposition/text.ts';
import { type AnyRegistry, gather, type Metric } from '../library.ts';
import type { RegistryReport, SeriesDefinition } from './messages.ts';

/** A metric to read, and whether each worker has its own series of it. */
export interface Wanted {
  readonly metric: Metric;
  readonly isOfProcess: boolean;
}

interface KnownSeries {
  readonly index: number;
  readonly family: string;
  readonly isCount: boolean;
  /** The reported value. */
  value: number;
  seenIn: number;
}

const COUNTING = ['counter', 'histogram', 'summary'];

/** Whether the values of `metric` are summed over workers and survive them. */
export const isCounting = ({ metric: { type, aggregator }, isOfProcess }: Wanted) =>
  !isOfProcess && aggregator === 'sum' && COUNTING.includes(type);

export class SampleDifferences {
  readonly #registry: AnyRegistry;
  readonly #index: number;
  readonly #families = new Set<string>();
  readonly #series = new Map<string, KnownSeries>();
  #added = 0;
  #round = 0;

  constructor(registry: AnyRegistry, index: number) {
    this.#registry = registry;
    this.#index = index;
  }

  /**
   * @param isAll whether `wanted` contains all metrics of the registry that are ever reported
   * @throws Error that names the metric whose collector failed
   */
  async take(wanted: readonly Wanted[], isAll: boolean): Promise<RegistryReport> {
    const metrics = wanted.map(({ metric }) => metric);
    const read = await gather(this.#registry, metrics);
    const report = { index: this.#index, families: [], series: [], values: [], gone: [] };
    this.#round++;
    for (const [i, family] of read.entries()) this.#compare(wanted[i] as Wanted, family, report);
    this.#sweep(isAll ? this.#families : new Set(read.map(({ name }) => name)), report);
    return report;
  }

  #compare(wanted: Wanted, { name, help, type, values }: Family, report: Mutable<RegistryReport>): void {
    if (!this.#families.has(name)) {
      this.#families.add(name);
      const { isOfProcess, metric } = wanted;
      report.families.push({ name, help, type, aggregator: metric.aggregator, isOfProcess });
    }
    for (const { metricName = null, labels = {}, value } of values) {
      const key = `${name} ${metricName}${toLabelsText(labels)}`;
      let series = this.#series.get(key);
      if (!series) {
        // Quantiles of a summary cannot be added.
        const isCount = isCounting(wanted) && !(type === 'summary' && 'quantile' in labels);
        const before = isCount ? 0 : Number.NaN;
        series = { index: this.#added++, family: name, isCount, value: before, seenIn: 0 };
        this.#series.set(key, series);
        report.series.push([series.index, name, metricName, toPlain(labels), isCount]);
      }
      series.seenIn = this.#round;
      pushChange(report.values, series, toNumber(value), metricName === `${name}_sum`);
    }
  }

  /** Removes the series of `families` that this round did not contain. */
  #sweep(families: ReadonlySet<string>, report: Mutable<RegistryReport>): void {
    for (const [key, series] of this.#series) {
      if (series.seenIn === this.#round || !families.has(series.family)) continue;
      // The count stays; if the series returns, it starts at 0.
      if (series.isCount) series.value = 0;
      else {
        this.#series.delete(key);
        report.gone.push(series.index);
      }
    }
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

function pushChange(values: (number | string)[], series: KnownSeries, now: number, isSum: boolean): void {
  const before = series.value;
  if (Object.is(before, now)) return;
  if (!series.isCount) values.push(series.index, Number.isFinite(now) ? now : String(now));
  else {
    // A count that has decreased was reset and starts from 0. (A sum may decrease, for example in a histogram of
    // temperatures.)
    const added = now < before && !isSum ? now : now - before;
    if (!Number.isFinite(added)) return;
    values.push(series.index, added);
  }
  series.value = now;
}

const toPlain = (labels: LabelSet): SeriesDefinition[3] =>
  Object.fromEntries(
    Object.entries(labels).map(([name, value]) => [
      name,
      Number.isFinite(value) ? (value as number) : toText(value),
    ]),
  );
