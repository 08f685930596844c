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

/** A sample without its value; made once for each series, so that a scrape renders only numbers. */
interface HistogramTemplate {
  readonly metricName: string;
  readonly labels: LabelSet;
}

/** @param durations the histogram's family name */
export function createRequestSamples(counts: RequestCounts, durations: string): RequestSamples {
  const all = [...counts.routed, ...counts.unmatched];
  const routed = counts.routed.map(({ path, method, cells }) => ({
    labels: withText({ path, method }),
    cells,
  }));
  const ofError = new Map<string, LabelSet>();
  const ofCell = new Map<Cell, readonly HistogramTemplate[]>();

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
          const labels = { path, method, code: cell.code };
          const templates = ofCell.get(cell) ?? histogramTemplates(durations, labels, counts.bounds);
          ofCell.set(cell, templates);
          pushHistogram(samples, cell, templates);
        }
      }
      return samples;
    },
  };
}

/** The buckets with +Inf, the sum and the count of one cell, in this order. */
function histogramTemplates(name: string, labels: LabelSet, bounds: readonly number[]): HistogramTemplate[] {
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

function pushHistogram(samples: Sample[], cell: Cell, templates: readonly HistogramTemplate[]): void {
  const last = cell.buckets.length;
  let count = 0;
  for (let i = 0; i < last + 2; i++) {
    const { labels, metricName } = templates[i] as HistogramTemplate;
    if (i < last) count += cell.buckets[i] as number;
    samples.push({ labels, metricName, value: i === last ? cell.sumSeconds : count });
  }
}
