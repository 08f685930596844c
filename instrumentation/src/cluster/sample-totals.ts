/** The primary's side: the metrics of all workers, except those of requests, combined as the client library does it. */
import type { Family, Sample } from '../exposition/family.ts';
import { toLabelsText } from '../exposition/text.ts';
import type { FamilyDefinition, RegistryReport } from './messages.ts';

interface FamilyTotals {
  readonly definition: FamilyDefinition;
  /** Counts by name and labels, including those of ended workers. */
  readonly counts: Map<string, { -readonly [K in keyof Sample]: Sample[K] }>;
}

interface Series extends Pick<Sample, 'metricName' | 'labels'> {
  readonly family: FamilyTotals;
  readonly key: string;
  readonly isCount: boolean;
  value: number;
}

/** One registry of one living worker. */
export interface RegistryTotals {
  add(report: RegistryReport): void;
  end(): void;
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
  /** The series of living workers, by worker. */
  readonly #living = new Map<number, Set<Map<number, Series>>>();

  /** @param worker its number */
  open(worker: number): RegistryTotals {
    const families: FamilyTotals[] = [];
    const series = new Map<number, Series>();
    const all = this.#living.get(worker) ?? new Set();
    this.#living.set(worker, all.add(series));
    return {
      add: (report) => {
        for (const index of report.gone) series.delete(index);
        for (const definition of report.families) families.push(this.#familyOf(definition));
        for (const [index, at, metricName, labels, isCount] of report.series) {
          const family = families[at] as FamilyTotals;
          const key = `${metricName ?? ''}${toLabelsText(sorted(labels))}`;
          const named = { labels, ...(metricName !== null && { metricName }) };
          series.set(index, { ...named, family, key, isCount, value: Number.NaN });
          if (isCount && !family.counts.has(key)) family.counts.set(key, { ...named, value: 0 });
        }
        for (let i = 0; i < report.values.length; i += 2)
          put(series.get(report.values[i] as number) as Series, Number(report.values[i + 1]));
      },
      end: () => {
        all.delete(series);
        if (all.size === 0) this.#living.delete(worker);
      },
    };
  }

  /** @throws Error that names the metric with an unknown aggregator */
  read(): readonly Family[] {
    const states = new Map<FamilyTotals, Map<string, Sample & { values: number[] }>>();
    for (const [worker, all] of [...this.#living].sort(([one], [other]) => one - other)) {
      for (const series of all)
        for (const one of series.values()) if (!one.isCount) addState(states, one, worker);
    }
    return Array.from(this.#families.values(), (family) => {
      const { name, help, type, isOfProcess } = family.definition;
      const aggregator = isOfProcess ? 'first' : family.definition.aggregator;
      const aggregate = AGGREGATORS[aggregator];
      if (!aggregate)
        throw new Error(
          `${name}: aggregator: expected ${Object.keys(AGGREGATORS).join(', ')} or omit, got "${aggregator}"`,
        );
      const living = Array.from(states.get(family)?.values() ?? [], ({ values, ...sample }) => ({
        ...sample,
        // Quantiles of parts do not yield the quantile of the whole; the worst is an upper bound of it.
        value: type === 'summary' && aggregator === 'sum' ? Math.max(...values) : aggregate(values),
      }));
      return {
        name,
        help,
        type,
        values: [...living, ...Array.from(family.counts.values(), (count) => ({ ...count }))],
      };
    });
  }

  #familyOf(definition: FamilyDefinition): FamilyTotals {
    const known = this.#families.get(definition.name);
    if (known) return known;
    const family = { definition, counts: new Map() };
    this.#families.set(definition.name, family);
    return family;
  }
}

function put(series: Series, value: number): void {
  const count = series.isCount && series.family.counts.get(series.key);
  if (count) count.value += value;
  else series.value = value;
}

function addState(
  states: Map<FamilyTotals, Map<string, Sample & { values: number[] }>>,
  { family, key, value, isCount: _, ...sample }: Series,
  worker: number,
): void {
  const { isOfProcess } = family.definition;
  const byKey = states.get(family) ?? new Map();
  states.set(family, byKey);
  const own = isOfProcess ? `${key} ${worker}` : key;
  const labels = isOfProcess ? { ...sample.labels, worker: String(worker) } : sample.labels;
  const state = byKey.get(own);
  // The metrics of a process are the same in each of its registries.
  if (!state) byKey.set(own, { ...sample, labels, value, values: [value] });
  else if (!isOfProcess) state.values.push(value);
}

const sorted = <T>(labels: Readonly<Record<string, T>>) =>
  Object.fromEntries(Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1)));
