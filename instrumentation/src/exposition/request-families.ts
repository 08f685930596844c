/**
 * The four request metrics as families, from the counted numbers. Taken in one turn of the event loop, they agree with
 * each other, and are encoded when a format is asked for.
 */
import { type Cell, type RequestCounts, type Row, snapshotOf } from '../recording/counts.ts';
import { type CachedCell, type CellEncoder, createCachedCell, createCellEncoder } from './cached-cell.ts';
import { type LabelSet, type OwnFamily, type Sample, toNumberText } from './family.ts';
import { encodeLabels, encodeSingle } from './protobuf-metric.ts';
import { toLabelsText } from './text.ts';

export interface RequestMetricNames {
  readonly requests: string;
  readonly errors: string;
  readonly inProgress: string;
  readonly duration: string;
}

export interface RequestLabelNames {
  readonly path: string;
  readonly method: string;
  readonly code: string;
}

/** Each takes its values when it is called: at a scrape, and never during a request. */
export interface RequestFamilies {
  /** Ended requests by path and method, of routes and mounts only. */
  requests(): OwnFamily;
  /** Ended requests by code from 400 up, whether a route answered or none. */
  errors(): OwnFamily;
  inProgress(): OwnFamily;
  /** Buckets (cumulated), sum and count of every cell. */
  durations(): OwnFamily;
}

/** How a single sample is encoded, but for its value. */
interface Series {
  readonly labels: LabelSet;
  readonly text: string;
  readonly message: Uint8Array;
}

interface Line extends Pick<Sample, 'value' | 'createdMs'> {
  readonly series: Series;
}

interface CachedRow {
  readonly row: Row;
  readonly cells: CachedCell[];
  readonly series: Series;
}

/** @param maxBuckets of a native histogram; where more have a count, they become wider */
export function createRequestFamilies(
  counts: RequestCounts,
  names: RequestMetricNames,
  labels: RequestLabelNames,
  maxBuckets: number,
): RequestFamilies {
  const errorSeries = new Map<string, Series>();
  const toCached = createCache(({ path, method }) =>
    toSeries(names.requests, { [labels.path]: path, [labels.method]: method }),
  );
  const cachedRows = (rows: ReadonlyMap<string, Row>) => Array.from(rows.values(), toCached);
  const allCells = () => [counts.routed, counts.unmatched].flatMap(cachedRows).flatMap(({ cells }) => cells);
  const encoder = createCellEncoder({
    name: names.duration,
    labelsOf: ({ path, method }, { code }) => ({
      [labels.path]: path,
      [labels.method]: method,
      [labels.code]: code,
    }),
    bounds: counts.bounds,
    native: counts.native,
    maxBuckets,
  });

  return {
    requests() {
      const lines = cachedRows(counts.routed).map(({ series, cells }) => ({ series, ...sumOf(cells) }));
      return toFamily(names.requests, 'Total number of requests', 'counter', lines);
    },

    errors() {
      const byCode = new Map<string, CachedCell[]>();
      for (const cached of allCells()) {
        const { code } = cached.cell;
        if (code < '400') continue;
        const same = byCode.get(code);
        if (same) same.push(cached);
        else byCode.set(code, [cached]);
      }
      const lines = [...byCode.keys()].sort().map((code) => {
        const series = errorSeries.get(code) ?? toSeries(names.errors, { [labels.code]: code });
        errorSeries.set(code, series);
        return { series, ...sumOf(byCode.get(code) ?? []) };
      });
      return toFamily(names.errors, 'Total number of errors', 'counter', lines);
    },

    inProgress() {
      const line = { series: toSeries(names.inProgress, {}), value: counts.inProgress };
      return toFamily(names.inProgress, 'Total number of requests in progress', 'gauge', [line]);
    },

    durations: () => toHistogram(names.duration, allCells(), encoder),
  };
}

/** What is kept of each row and of its cells, from scrape to scrape. */
function createCache(seriesOf: (row: Row) => Series): (row: Row) => CachedRow {
  const cache = new Map<Row, CachedRow>();
  return (row) => {
    let cached = cache.get(row);
    if (!cached) {
      cached = { row, cells: [], series: seriesOf(row) };
      cache.set(row, cached);
    }
    const { cells } = cached;
    while (cells.length < row.cells.length)
      cells.push(createCachedCell(row, row.cells[cells.length] as Cell));
    return cached;
  };
}

/** What the cells have counted together, and since when. */
function sumOf(cells: readonly CachedCell[]): Pick<Sample, 'value' | 'createdMs'> {
  let value = 0;
  let createdMs: number | undefined;
  for (const { cell } of cells) {
    value += snapshotOf(cell).count;
    createdMs = Math.min(createdMs ?? cell.createdMs, cell.createdMs);
  }
  return { value, createdMs };
}

function toSeries(name: string, labels: LabelSet): Series {
  return { labels, text: `${name}${toLabelsText(labels)} `, message: encodeLabels(labels) };
}

function toFamily(name: string, help: string, type: 'counter' | 'gauge', lines: readonly Line[]): OwnFamily {
  return {
    name,
    help,
    type,
    samples: () => lines.map(({ series, ...sample }) => ({ labels: series.labels, ...sample })),
    encoded: {
      *lines() {
        for (const { series, value } of lines) yield `${series.text}${toNumberText(value)}\n`;
      },
      *messages() {
        for (const { series, value, createdMs } of lines)
          yield encodeSingle(type, series.message, value, createdMs);
      },
    },
  };
}

function toHistogram(name: string, all: readonly CachedCell[], encoder: CellEncoder): OwnFamily {
  const cells = all.map((cached) => ({ cached, snapshot: snapshotOf(cached.cell) }));
  return {
    name,
    help: 'Time from the arrival of a request to the end of its response, in seconds',
    type: 'histogram',
    samples: () => cells.flatMap(({ cached, snapshot }) => encoder.toSamples(cached, snapshot)),
    encoded: {
      *lines() {
        for (const { cached, snapshot } of cells) yield encoder.toText(cached, snapshot);
      },
      *messages(withNative) {
        for (const { cached, snapshot } of cells) yield encoder.toMessage(cached, snapshot, withNative);
      },
    },
  };
}
