/**
 * The four request metrics as families, from the counted numbers. Taken in one turn of the event loop, they agree with
 * each other. A line of text is made when a scrape needs it, and kept for as long as its number is the same.
 */
import { type Cell, type RequestCounts, type Row, total } from '../recording/counts.ts';
import { type Family, type LabelSet, type Sample, toLabelsText, toNumberText } from './text.ts';

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

/** A sample with the text of its name and labels, and its whole line as long as the value stays. */
interface Line extends Sample {
  readonly head: string;
  text: string | undefined;
}

/** The numbers of a cell at one moment. */
interface CellState {
  readonly view: CellView;
  readonly buckets: readonly number[];
  readonly sumSeconds: number;
  readonly count: number;
  text: string | undefined;
}

/** What is kept of a cell from scrape to scrape. */
interface CellView {
  readonly row: Row;
  readonly cell: Cell;
  /** Name and labels of its lines: the buckets, the sum, the count. Made when they are first shown. */
  heads: readonly { readonly metricName: string; readonly labels: LabelSet; readonly text: string }[];
  state: CellState | undefined;
}

interface RowView {
  readonly row: Row;
  readonly cells: CellView[];
  line: Line | undefined;
}

export function createRequestFamilies(
  counts: RequestCounts,
  names: RequestMetricNames,
  labels: RequestLabelNames,
): RequestFamilies {
  const views = new Map<Row, RowView>();
  const errorLines = new Map<string, Line>();

  function look(rows: Iterable<Row>): RowView[] {
    return Array.from(rows, (row) => {
      let view = views.get(row);
      if (!view) {
        view = { row, cells: [], line: undefined };
        views.set(row, view);
      }
      for (let i = view.cells.length; i < row.cells.length; i++) {
        view.cells.push({ row, cell: row.cells[i] as Cell, heads: [], state: undefined });
      }
      return view;
    });
  }

  const allCells = () =>
    [...look(counts.routed.values()), ...look(counts.unmatched.values())].flatMap(({ cells }) => cells);

  function headsOf(view: CellView): CellView['heads'] {
    if (view.heads.length > 0) return view.heads;
    const { row, cell } = view;
    const own = { [labels.path]: row.path, [labels.method]: row.method, [labels.code]: cell.code };
    const toHead = (suffix: string, set: LabelSet) => {
      const metricName = `${names.duration}${suffix}`;
      return { metricName, labels: set, text: `${metricName}${toLabelsText(set)} ` };
    };
    const buckets = [...counts.bounds, '+Inf'].map((le) => toHead('_bucket', { ...own, le }));
    view.heads = [...buckets, toHead('_sum', own), toHead('_count', own)];
    return view.heads;
  }

  function toSamples(state: CellState): Sample[] {
    const values = valuesOf(state);
    return headsOf(state.view).map(({ metricName, labels }, i) => ({
      metricName,
      labels,
      value: values[i] as number,
    }));
  }

  function toText(state: CellState): string {
    const values = valuesOf(state);
    return headsOf(state.view).reduce(
      (text, head, i) => `${text}${head.text}${toNumberText(values[i] as number)}\n`,
      '',
    );
  }

  return {
    requests() {
      const lines = look(counts.routed.values()).map((view) => {
        const value = view.cells.reduce((sum, cell) => sum + stateOf(cell).count, 0);
        const { path, method } = view.row;
        view.line = toLine(
          view.line,
          names.requests,
          { [labels.path]: path, [labels.method]: method },
          value,
        );
        return view.line;
      });
      return toFamily(names.requests, 'Total number of requests', 'counter', lines);
    },

    errors() {
      const byCode = new Map<string, number>();
      for (const view of allCells()) {
        const { code } = view.cell;
        if (code >= '400') byCode.set(code, (byCode.get(code) ?? 0) + stateOf(view).count);
      }
      const lines = [...byCode].sort().map(([code, value]) => {
        const line = toLine(errorLines.get(code), names.errors, { [labels.code]: code }, value);
        errorLines.set(code, line);
        return line;
      });
      return toFamily(names.errors, 'Total number of errors', 'counter', lines);
    },

    inProgress() {
      const line = toLine(undefined, names.inProgress, {}, counts.inProgress);
      return toFamily(names.inProgress, 'Total number of requests in progress', 'gauge', [line]);
    },

    durations() {
      const states = allCells().map(stateOf);
      const help = 'Time from the arrival of a request to the end of its response, in seconds';
      return createFamily(
        names.duration,
        help,
        'histogram',
        () => states.flatMap(toSamples),
        function* () {
          for (const state of states) {
            state.text ??= toText(state);
            yield state.text;
          }
        },
      );
    },
  };
}

/** The numbers of `view` now; the same object as long as they are the same. */
function stateOf(view: CellView): CellState {
  const { cell } = view;
  if (!view.state || cell.changed) {
    cell.changed = false;
    view.state = {
      view,
      buckets: cell.buckets.slice(),
      sumSeconds: cell.sumSeconds,
      count: total(cell),
      text: undefined,
    };
  }
  return view.state;
}

/** The values of a cell's lines, in the order of its heads: cumulated buckets, sum, count. */
function valuesOf({ buckets, sumSeconds, count }: CellState): number[] {
  let sum = 0;
  const cumulated = buckets.map((own) => {
    sum += own;
    return sum;
  });
  return [...cumulated, sumSeconds, count];
}

/** `known`, where it has that value already: its text is kept. */
function toLine(known: Line | undefined, name: string, labels: LabelSet, value: number): Line {
  if (known?.value === value) return known;
  const head = known?.head ?? `${name}${toLabelsText(labels)} `;
  return { head, labels: known?.labels ?? labels, value, text: undefined };
}

function toFamily(name: string, help: string, type: string, lines: readonly Line[]): Family {
  const samples = () => lines.map(({ labels, value }) => ({ labels, value }));
  return createFamily(name, help, type, samples, function* () {
    for (const line of lines) {
      line.text ??= `${line.head}${toNumberText(line.value)}\n`;
      yield line.text;
    }
  });
}

/** Samples are made for who asks for them: the client library's own rendering, or labels that a registry adds to all. */
function createFamily(
  name: string,
  help: string,
  type: string,
  samples: () => readonly Sample[],
  text: () => Iterable<string>,
): Family {
  let values: readonly Sample[] | undefined;
  return {
    name,
    help,
    type,
    get values() {
      values ??= samples();
      return values;
    },
    get lines() {
      return values ? undefined : text();
    },
  };
}
