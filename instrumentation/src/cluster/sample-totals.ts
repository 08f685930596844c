/**
 * The primary's side: the metrics of all workers, except those of requests, combined in the same way as by the client
 * library.
 */
import type { Family, Sample } from '../exposition/family.ts';
import { toLabelsText } from '../exposition/text.ts';
import type { MetricDefinition, MetricReport, SeriesDefinition, Totals } from './messages.ts';
import { oncePerMessage } from './once-per-message.ts';

/** An exposed series. */
interface Cell {
  readonly key: string;
  readonly named: Pick<Sample, 'metricName' | 'labels'>;
  readonly isCount: boolean;
  /** Of a count: the sum over all workers, including ended ones. */
  count: number;
  /** Of living workers. */
  series: readonly Series[];
}

interface FamilyTotals {
  readonly definition: MetricDefinition;
  /** By labels, the series of one histogram or summary, or a single one. */
  readonly groups: Map<string, Cell[]>;
}

/** A series of a living worker. */
interface Series {
  readonly family: FamilyTotals;
  readonly group: string;
  /** Usually one; several or none if its histogram has other buckets. */
  readonly cells: readonly Cell[];
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

/** The label that distinguishes the series of one histogram or summary. */
const POINT_LABELS: Readonly<Record<string, string>> = { histogram: 'le', summary: 'quantile' };

export class SampleTotals {
  /** By name, and then by type and aggregator, in the order in which workers defined them. */
  readonly #families = new Map<string, Map<string, FamilyTotals>>();
  readonly #warn: (message: string) => void;

  /** @param warn is called once for each metric that workers define differently */
  constructor(warn: (message: string) => void) {
    this.#warn = oncePerMessage(warn);
  }

  /** @param worker the worker's number; 0 is the primary */
  open(worker: number): Totals<MetricReport> {
    const all = new Map<number, Series>();
    return {
      add: ({ definition, series, values, gone }) => {
        if (definition) this.#define(definition, series, all, worker);
        for (let i = 0; i < values.length; i += 2) {
          const known = all.get(values[i] as number);
          // If this worker was considered ended before, it does not define its series again.
          if (!known) continue;
          known.value = Number(values[i + 1]);
          for (const cell of known.cells) if (cell.isCount) cell.count += known.value;
        }
        for (const index of gone) {
          this.#release(all.get(index), true);
          all.delete(index);
        }
      },
      end: () => {
        for (const series of all.values()) this.#release(series, false);
      },
    };
  }

  /** Whether workers have `name`, or have counted it. */
  has(name: string): boolean {
    return this.#families.has(name);
  }

  /** @throws Error that names the metric with an unknown aggregator */
  read(): readonly Family[] {
    return Array.from(this.#families.values(), (kinds) => {
      const all = [...kinds.values()];
      return toFamily(all.find(isLiving) ?? (all[0] as FamilyTotals));
    });
  }

  #define(
    definition: MetricDefinition,
    series: readonly SeriesDefinition[],
    all: Map<number, Series>,
    worker: number,
  ): void {
    const family = this.#familyOf(definition);
    const pointLabel = POINT_LABELS[definition.type] ?? '';
    for (const [index, metricName, { [pointLabel]: point, ...given }, isCount] of series) {
      const labels = definition.isOfProcess ? { ...given, worker: String(worker) } : given;
      const group = toLabelsText(sorted(labels));
      const cells = pointsOf(point, family.definition.bounds, definition.bounds).map((at) =>
        cellOf(family, group, isCount, {
          ...(metricName !== null && { metricName }),
          labels: at === undefined ? labels : { ...labels, [pointLabel]: at },
        }),
      );
      const one = { family, group, cells, value: Number.NaN };
      for (const cell of cells) cell.series = [...cell.series, one];
      all.set(index, one);
    }
  }

  /** Values of another type cannot be exposed under the same name: they wait until no worker has the first. */
  #familyOf(definition: MetricDefinition): FamilyTotals {
    const { name } = definition;
    const kinds = this.#families.get(name) ?? new Map<string, FamilyTotals>();
    this.#families.set(name, kinds);
    const [first] = kinds.values();
    if (first && JSON.stringify(first.definition) !== JSON.stringify(definition))
      this.#warn(
        `${name}: workers differ in its type, help, aggregator or buckets; using the definition of the first worker`,
      );
    const kind = kindOf(definition);
    const family = kinds.get(kind) ?? { definition, groups: new Map() };
    kinds.set(kind, family);
    return family;
  }

  /**
   * The counts of an ended worker stay. A removed series, which one process would no longer expose, disappears when no other
   * worker has it: sums of the others only would look like a restart.
   */
  #release(series: Series | undefined, isRemoved: boolean): void {
    if (!series) return;
    const { group, cells } = series;
    const { definition, groups } = series.family;
    for (const cell of cells) {
      cell.series = cell.series.filter((one) => one !== series);
      if (cell.series.length > 0 || (cell.isCount && !isRemoved)) continue;
      const left = (groups.get(group) ?? []).filter((one) => one !== cell);
      if (left.length > 0) groups.set(group, left);
      else groups.delete(group);
    }
    if (groups.size > 0) return;
    const kinds = this.#families.get(definition.name);
    kinds?.delete(kindOf(definition));
    if (kinds?.size === 0) this.#families.delete(definition.name);
  }
}

/** What families of one name must have in common to be combined. */
const kindOf = ({ help, bounds, ...kind }: MetricDefinition) => JSON.stringify(kind);

const isLiving = ({ groups }: FamilyTotals) =>
  [...groups.values()].some((cells) => cells.some(({ series }) => series.length > 0));

/** Finds or adds a cell: points in ascending order, then the sum and the count. */
function cellOf({ groups }: FamilyTotals, group: string, isCount: boolean, named: Cell['named']): Cell {
  const cells = groups.get(group) ?? [];
  groups.set(group, cells);
  const key = `${named.metricName} ${named.labels.le ?? named.labels.quantile}`;
  const known = cells.find((one) => one.key === key);
  if (known) return known;
  const at = cells.findIndex((one) => rankOf(one) > rankOf({ named }));
  const cell = { key, named, isCount, count: 0, series: [] };
  cells.splice(at < 0 ? cells.length : at, 0, cell);
  return cell;
}

const rankOf = ({ named: { labels } }: Pick<Cell, 'named'>) => {
  const point = labels.le ?? labels.quantile ?? '+Inf';
  return point === '+Inf' ? Number.POSITIVE_INFINITY : Number(point);
};

/**
 * Where to expose a bucket of a histogram with the bounds `own`: at each bound of `first` up to the next of its own, because
 * at least its count is below those.
 */
function pointsOf<T>(point: T, first: readonly number[] = [], own = first): readonly (T | number)[] {
  if (typeof point !== 'number' || own.join() === first.join()) return [point];
  const next = own.find((bound) => bound > point) ?? Number.POSITIVE_INFINITY;
  return first.filter((bound) => bound >= point && bound < next);
}

function toFamily(family: FamilyTotals): Family {
  const { name, help, type, isOfProcess } = family.definition;
  // The metrics of a process are the same in each of its registries.
  const aggregator = isOfProcess ? 'first' : family.definition.aggregator;
  // The quantile over all workers cannot be computed from the workers' quantiles; the highest is an upper bound.
  const combine = AGGREGATORS[type === 'summary' && aggregator === 'sum' ? 'max' : aggregator];
  if (!combine)
    throw new Error(
      `${name}: aggregator: expected ${Object.keys(AGGREGATORS).join(', ')} or omit, got "${aggregator}"`,
    );
  const values = [...family.groups.values()].flat().map(({ named, isCount, count, series }) => ({
    ...named,
    value: isCount ? count : combine(series.map(({ value }) => value)),
  }));
  return { name, help, type, values };
}

const sorted = <T>(labels: Readonly<Record<string, T>>) =>
  Object.fromEntries(Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1)));
