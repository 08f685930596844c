/**
 * The four request metrics as families, from the counted numbers. Taken in one turn of the event loop, they agree with
 * each other. What a scrape needs is written when it is needed, and kept for as long as its number is the same.
 */

import type { Cell, RequestCounts, Row } from '../recording/counts.ts';
import { type CellView, createCellWriter, stateOf } from './cells.ts';
import type { Family, LabelSet, Sample, Written } from './family.ts';
import { onDemand } from './on-demand.ts';
import { encodeLabels, encodeSingle } from './protobuf-metric.ts';
import { toLabelsText, toNumberText } from './text.ts';

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

export interface RequestFamilies {
  /** Ended requests by path and method, of routes and mounts only. */
  requests(): Family;
  /** Ended requests by code from 400 up, whether a route answered or none. */
  errors(): Family;
  inProgress(): Family;
  /** Buckets (cumulated), sum and count of every cell. */
  durations(): Family;
}

/** A single sample, and how it is written, as long as the value stays. */
interface Line extends Sample {
  readonly head: string;
  text: string | undefined;
  message: Uint8Array | undefined;
}

interface RowView {
  readonly row: Row;
  readonly cells: CellView[];
  line: Line | undefined;
}

/** @param maxBuckets of a native histogram; where more have a count, they become wider */
export function createRequestFamilies(
  counts: RequestCounts,
  names: RequestMetricNames,
  labels: RequestLabelNames,
  maxBuckets: number,
): RequestFamilies {
  const views = new Map<Row, RowView>();
  const errorLines = new Map<string, Line>();
  const writer = createCellWriter({
    name: names.duration,
    labelsOf: (row, cell) => ({
      [labels.path]: row.path,
      [labels.method]: row.method,
      [labels.code]: cell.code,
    }),
    bounds: counts.bounds,
    native: counts.native,
    maxBuckets,
  });

  function look(rows: Iterable<Row>): RowView[] {
    return Array.from(rows, (row) => {
      let view = views.get(row);
      if (!view) {
        view = { row, cells: [], line: undefined };
        views.set(row, view);
      }
      for (let i = view.cells.length; i < row.cells.length; i++) {
        view.cells.push({ row, cell: row.cells[i] as Cell, written: undefined, state: undefined });
      }
      return view;
    });
  }

  const allCells = () =>
    [...look(counts.routed.values()), ...look(counts.unmatched.values())].flatMap(({ cells }) => cells);

  return {
    requests() {
      const lines = look(counts.routed.values()).map((view) => {
        const { path, method } = view.row;
        const own = { [labels.path]: path, [labels.method]: method };
        view.line = toLine(view.line, names.requests, own, sumOf(view.cells));
        return view.line;
      });
      return toFamily(names.requests, 'Total number of requests', 'counter', lines);
    },

    errors() {
      const byCode = new Map<string, CellView[]>();
      for (const view of allCells()) {
        const { code } = view.cell;
        if (code < '400') continue;
        const same = byCode.get(code);
        if (same) same.push(view);
        else byCode.set(code, [view]);
      }
      const codes = [...byCode.keys()].sort();
      const lines = codes.map((code) => {
        const sum = sumOf(byCode.get(code) as CellView[]);
        const line = toLine(errorLines.get(code), names.errors, { [labels.code]: code }, sum);
        errorLines.set(code, line);
        return line;
      });
      return toFamily(names.errors, 'Total number of errors', 'counter', lines);
    },

    inProgress() {
      const line = toLine(undefined, names.inProgress, {}, { value: counts.inProgress });
      return toFamily(names.inProgress, 'Total number of requests in progress', 'gauge', [line]);
    },

    durations() {
      const states = allCells().map(stateOf);
      const help = 'Time from the arrival of a request to the end of its response, in seconds';
      return createFamily(names.duration, help, 'histogram', () => states.flatMap(writer.toSamples), {
        *lines() {
          for (const state of states) yield writer.toText(state);
        },
        *messages(withNative) {
          for (const state of states) yield writer.toMessage(state, withNative);
        },
      });
    },
  };
}

/** What the cells have counted together, and since when. */
function sumOf(views: readonly CellView[]): Pick<Sample, 'value' | 'createdMs'> {
  let value = 0;
  let createdMs: number | undefined;
  for (const view of views) {
    value += stateOf(view).count;
    createdMs = Math.min(createdMs ?? view.cell.createdMs, view.cell.createdMs);
  }
  return { value, createdMs };
}

/** `known`, where it has that value already: what it is written as is kept. */
function toLine(
  known: Line | undefined,
  name: string,
  labels: LabelSet,
  { value, createdMs }: Pick<Sample, 'value' | 'createdMs'>,
): Line {
  if (known?.value === value) return known;
  const head = known?.head ?? `${name}${toLabelsText(labels)} `;
  return { head, labels: known?.labels ?? labels, value, createdMs, text: undefined, message: undefined };
}

function toFamily(name: string, help: string, type: 'counter' | 'gauge', lines: readonly Line[]): Family {
  const samples = () => lines.map(({ labels, value, createdMs }) => ({ labels, value, createdMs }));
  return createFamily(name, help, type, samples, {
    *lines() {
      for (const line of lines) {
        line.text ??= `${line.head}${toNumberText(line.value)}\n`;
        yield line.text;
      }
    },
    *messages() {
      for (const line of lines) {
        line.message ??= encodeSingle(type, encodeLabels(line.labels), line.value, line.createdMs);
        yield line.message;
      }
    },
  });
}

/** Samples are made for who asks for them: the client library's own rendering, or labels that a registry adds to all. */
function createFamily(
  name: string,
  help: string,
  type: string,
  samples: () => readonly Sample[],
  written: Written,
): Family {
  const { array: values, isMade } = onDemand(samples);
  return {
    name,
    help,
    type,
    values,
    get written() {
      return isMade() ? undefined : written;
    },
  };
}
