/** Turns the counted numbers into the samples of the contract's metrics. Pure; knows neither a client library nor HTTP. */
import { type Cell, type RequestCounts, total } from './request-counts.ts';

export type Labels = Record<string, string>;

/** One sample as client libraries hold it; `metricName` where it differs from the family's (`_bucket`, `_sum`). */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  readonly metricName?: string;
}

/** Each function reads the numbers as they are now; called in one turn of the event loop, their results agree. */
export interface RequestSamples {
  /** Ended requests by path and method, of the rows of the table only. */
  requests(): Sample[];
  /** Ended requests by code from 400 up, matched or not. */
  errors(): Sample[];
  /** Buckets (cumulated), sum and count of every cell. */
  durations(): Sample[];
}

/**
 * @param name the histogram's family name
 */
export function createRequestSamples(counts: RequestCounts, name: string): RequestSamples {
  const all = [...counts.routed, ...counts.unmatched];
  const routed = counts.routed.map(({ path, method, cells }) => ({ labels: { path, method }, cells }));
  // Label objects are made once: renderers may cache their text by identity, and a scrape allocates only the samples.
  const errorLabels = new Map<string, Labels>();
  const cellLabels = new WeakMap<Cell, Labels[]>();

  function labelsOf(path: string, method: string, cell: Cell): Labels[] {
    let cached = cellLabels.get(cell);
    if (!cached) {
      const own = { path, method, code: cell.code };
      cached = [...[...counts.bounds.map(String), '+Inf'].map((le) => ({ ...own, le })), own];
      cellLabels.set(cell, cached);
    }
    return cached;
  }

  return {
    requests: () =>
      routed.map(({ labels, cells }) => ({
        labels,
        value: cells.reduce((sum, cell) => sum + total(cell), 0),
      })),

    errors() {
      const byCode = new Map<string, number>();
      for (const cell of all.flatMap((series) => series.cells)) {
        if (cell.code >= '400') byCode.set(cell.code, (byCode.get(cell.code) ?? 0) + total(cell));
      }
      return [...byCode].sort().map(([code, value]) => {
        const labels = errorLabels.get(code) ?? { code };
        errorLabels.set(code, labels);
        return { labels, value };
      });
    },

    durations() {
      const samples: Sample[] = [];
      for (const { path, method, cells } of all) {
        for (const cell of cells) {
          const labels = labelsOf(path, method, cell);
          let count = 0;
          for (const [i, inBucket] of cell.buckets.entries()) {
            count += inBucket;
            samples.push({ labels: labels[i] as Labels, value: count, metricName: `${name}_bucket` });
          }
          const own = labels.at(-1) as Labels;
          samples.push({ labels: own, value: cell.sumSeconds, metricName: `${name}_sum` });
          samples.push({ labels: own, value: count, metricName: `${name}_count` });
        }
      }
      return samples;
    },
  };
}
