/**
 * The primary's side: the metrics of all workers, except those of requests, combined in the same way as by the client
 * library.
 */
import type { Family, Sample } from '../exposition/family.ts';
import { toLabelsText } from '../exposition/text.ts';
import type { FamilyDefinition, RegistryReport, Totals } from './messages.ts';

type NamedSample = Pick<Sample, 'metricName' | 'labels'>;

interface FamilyTotals {
  readonly definition: FamilyDefinition;
  /** Counts by name and labels, including those of ended workers. */
  readonly counts: Map<string, NamedSample & { value: number }>;
  /** The other values of living workers, as of the current scrape. */
  readonly states: Map<string, NamedSample & { readonly values: number[] }>;
}

interface Series {
  readonly family: FamilyTotals;
  readonly key: string;
  readonly named: NamedSample;
  /** The count to add to; undefined for a state. */
  readonly count: { value: number } | undefined;
  value: number;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Like `aggregators` of the client library; `omit` is not reported at all. */
const AGGREGATORS: Readonly<Record<string, (values: readonly number[]) => number>> = {
  sum,
  first: ([value = Number.NaN]) => value,
  average: (values) => sum(values) / values.length,
  min: (values) => Math.min(...values),
  max: (values) => Math.max(...values),
};

export class SampleTotals {
  readonly #families = new Map<string, FamilyTotals>();
  /** The series of each registry of a living worker, with its number. */
  readonly #living = new Map<Map<number, Series>, number>();

  /** @param worker the worker's number */
  open(worker: number): Totals<RegistryReport> {
    const all = new Map<number, Series>();
    this.#living.set(all, worker);
    return {
      add: (report) => {
        this.#define(report, all);
        for (const index of report.gone) all.delete(index);
        for (let i = 0; i < report.values.length; i += 2) {
          const series = all.get(report.values[i] as number) as Series;
          const value = Number(report.values[i + 1]);
          if (series.count) series.count.value += value;
          else series.value = value;
        }
      },
      end: () => void this.#living.delete(all),
    };
  }

  /** @throws Error that names the metric with an unknown aggregator */
  read(): readonly Family[] {
    for (const { states } of this.#families.values()) states.clear();
    for (const [all, worker] of [...this.#living].sort(([, one], [, other]) => one - other))
      for (const series of all.values()) if (!series.count) addState(series, worker);
    return Array.from(this.#families.values(), toFamily);
  }

  #define({ families, series }: RegistryReport, all: Map<number, Series>): void {
    for (const definition of families)
      if (!this.#families.has(definition.name))
        this.#families.set(definition.name, { definition, counts: new Map(), states: new Map() });
    for (const [index, name, metricName, labels, isCount] of series) {
      const family = this.#families.get(name) as FamilyTotals;
      const key = `${metricName}${toLabelsText(sorted(labels))}`;
      const named = { labels, ...(metricName !== null && { metricName }) };
      const count = isCount ? (family.counts.get(key) ?? { ...named, value: 0 }) : undefined;
      if (count) family.counts.set(key, count);
      all.set(index, { family, key, named, count, value: Number.NaN });
    }
  }
}

function addState({ family, key, named, value }: Series, worker: number): void {
  const { definition, states } = family;
  const { isOfProcess } = definition;
  const own = isOfProcess ? `${key} ${worker}` : key;
  const state = states.get(own);
  const labels = isOfProcess ? { ...named.labels, worker: String(worker) } : named.labels;
  // The metrics of a process are the same in each of its registries.
  if (!state) states.set(own, { ...named, labels, values: [value] });
  else if (!isOfProcess) state.values.push(value);
}

function toFamily({ definition, counts, states }: FamilyTotals): Family {
  const { name, help, type, isOfProcess } = definition;
  const aggregator = isOfProcess ? 'first' : definition.aggregator;
  const aggregate = AGGREGATORS[aggregator];
  if (!aggregate)
    throw new Error(
      `${name}: aggregator: expected ${Object.keys(AGGREGATORS).join(', ')} or omit, got "${aggregator}"`,
    );
  const living = Array.from(states.values(), ({ values, ...named }) => ({
    ...named,
    // The quantile over all workers cannot be computed from the workers' quantiles; the highest is an upper bound.
    value: type === 'summary' && aggregator === 'sum' ? Math.max(...values) : aggregate(values),
  }));
  return { name, help, type, values: [...living, ...Array.from(counts.values(), (count) => ({ ...count }))] };
}

const sorted = <T>(labels: Readonly<Record<string, T>>) =>
  Object.fromEntries(Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1)));
