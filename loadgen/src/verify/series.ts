/** Series with Prometheus' labels: objects in the program, converted to text only for users. */
import { z } from 'zod';

export const seriesSchema = z.strictObject({
  metric: z.string(),
  labels: z.record(z.string(), z.string()),
});
export type Series = z.output<typeof seriesSchema>;

/** As in PromQL: `name{path="cart",method="get"}`. */
export function formatSeries({ metric, labels }: Series): string {
  const pairs = formatLabels(labels);
  return pairs.length === 0 ? metric : `${metric}{${pairs.join(',')}}`;
}

/** `label="value"`, for each label. */
export function formatLabels(labels: Readonly<Record<string, string>>): string[] {
  return Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
}

/** A number per series; 0 by default. */
export class SeriesCounts {
  readonly #entries = new Map<string, { readonly series: Series; count: number }>();

  add(series: Series, by: number): void {
    const key = keyOf(series);
    const entry = this.#entries.get(key);
    if (entry === undefined) this.#entries.set(key, { series, count: by });
    else entry.count += by;
  }

  of(series: Series): number {
    return this.#entries.get(keyOf(series))?.count ?? 0;
  }

  /** The union of the series of this object and the others. */
  seriesWith(...others: readonly SeriesCounts[]): Series[] {
    const all = new Map([this, ...others].flatMap((counts) => [...counts.#entries]));
    return [...all.values()].map(({ series }) => series);
  }
}

/** The key is only compared with other keys. */
function keyOf({ metric, labels }: Series): string {
  return JSON.stringify([metric, ...Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
}
