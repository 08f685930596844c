/** Turns the counted numbers into the samples of the contract's metrics. Pure; knows neither a client library nor HTTP. */
import { type LabelSet, type Sample, withText } from './render.ts';
import { type Cell, type RequestCounts, total } from './request-counts.ts';

/** Each function reads the numbers as they are now; called in one turn of the event loop, their results agree. */
export interface RequestSamples {
  /** Ended requests by path and method, of the rows of the table only. */
  requests(): Sample[];
  /** Ended requests by code from 400 up, matched or not. */
  errors(): Sample[];
  /** Buckets (cumulated), sum and count of every cell. */
  durations(): Sample[];
}

/** The samples of one cell: what they are called, and how they were when `count` requests had ended. */
interface CellSamples {
  readonly names: readonly { readonly metricName: string; readonly labels: LabelSet }[];
  count: number;
  samples: readonly Sample[];
}

/** @param durations the histogram's family name */
export function createRequestSamples(counts: RequestCounts, durations: string): RequestSamples {
  const all = [...counts.routed, ...counts.unmatched];
  const routed = counts.routed.map(({ path, method, cells }) => ({
    labels: withText({ path, method }),
    cells,
  }));
  const ofError = new Map<string, LabelSet>();
  const ofCell = new Map<Cell, CellSamples>();

  return {
    requests: () =>
      routed.map(({ labels, cells }) => ({
        labels,
        value: cells.reduce((sum, cell) => sum + total(cell), 0),
      })),

    errors() {
      const byCode = new Map<string, number>();
      for (const { cells } of all) {
        for (const cell of cells) {
          if (cell.code >= '400') byCode.set(cell.code, (byCode.get(cell.code) ?? 0) + total(cell));
        }
      }
      return [...byCode].sort().map(([code, value]) => {
        const labels = ofError.get(code) ?? withText({ code });
        ofError.set(code, labels);
        return { labels, value };
      });
    },

    durations() {
      const samples: Sample[] = [];
      for (const { path, method, cells } of all) {
        for (const cell of cells) {
          let own = ofCell.get(cell);
          if (!own) {
            const labels = { path, method, code: cell.code };
            own = { names: histogramNames(durations, labels, counts.bounds), count: -1, samples: [] };
            ofCell.set(cell, own);
          }
          // Most cells have not changed since the last scrape: their samples are handed out again, with the text that was made of them.
          const count = total(cell);
          if (count !== own.count) {
            own.samples = histogramSamples(cell, own.names);
            own.count = count;
          }
          for (const sample of own.samples) samples.push(sample);
        }
      }
      return samples;
    },
  };
}

/** The buckets with +Inf, the sum and the count of one cell, in this order. */
function histogramNames(name: string, labels: LabelSet, bounds: readonly number[]): CellSamples['names'] {
  const own = withText(labels);
  const buckets = [...bounds, '+Inf'].map((le) => ({
    metricName: `${name}_bucket`,
    labels: withText({ ...own, le }),
  }));
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: own },
    { metricName: `${name}_count`, labels: own },
  ];
}

function histogramSamples(cell: Cell, names: CellSamples['names']): Sample[] {
  const last = cell.buckets.length;
  let count = 0;
  return names.map(({ metricName, labels }, i) => {
    if (i < last) count += cell.buckets[i] as number;
    const value = i === last ? cell.sumSeconds : count;
    return { metricName, labels, value, line: undefined };
  });
}
