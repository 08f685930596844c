/**
 * What a scrape sees of a cell: its numbers at one moment, and how they are written. Both are made when they are first
 * needed, and kept for as long as nothing is added to the cell.
 */

import { type Cell, type Row, total } from '../recording/counts.ts';
import type { NativeBuckets } from '../recording/native-buckets.ts';
import type { LabelSet, Sample } from './family.ts';
import { copySlots, type NativeHistogram, type SlotCounts, toNativeHistogram } from './native-histogram.ts';
import { type Distribution, encodeHistogram, encodeLabels } from './protobuf-metric.ts';
import { toLabelsText, toNumberText } from './text.ts';

/** What is kept of a cell from scrape to scrape. */
export interface CellView {
  readonly row: Row;
  readonly cell: Cell;
  written: WrittenLabels | undefined;
  state: CellState | undefined;
}

interface WrittenLabels {
  readonly message: Uint8Array;
  /** Name and labels of its lines: the buckets, the sum, the count. */
  readonly heads: readonly {
    readonly metricName: string;
    readonly labels: LabelSet;
    readonly text: string;
  }[];
}

/** The numbers of a cell at one moment. */
export interface CellState {
  readonly view: CellView;
  readonly buckets: readonly number[];
  readonly slots: SlotCounts;
  readonly sumSeconds: number;
  readonly count: number;
  text: string | undefined;
  native: NativeHistogram | undefined;
  /** Without and with native buckets. */
  readonly messages: [Uint8Array | undefined, Uint8Array | undefined];
}

/** The numbers of `view` now; the same object as long as they are the same. */
export function stateOf(view: CellView): CellState {
  const { cell } = view;
  if (!view.state || cell.changed) {
    cell.changed = false;
    view.state = {
      view,
      buckets: cell.buckets.slice(),
      slots: copySlots(cell.native),
      sumSeconds: cell.sumSeconds,
      count: total(cell),
      text: undefined,
      native: undefined,
      messages: [undefined, undefined],
    };
  }
  return view.state;
}

export interface CellWriterOptions {
  /** Of the histogram. */
  readonly name: string;
  readonly labelsOf: (row: Row, cell: Cell) => LabelSet;
  readonly bounds: readonly number[];
  readonly native: NativeBuckets | undefined;
  /** Of a native histogram; where more have a count, they become wider. */
  readonly maxBuckets: number;
}

export function createCellWriter({ name, labelsOf, bounds, native, maxBuckets }: CellWriterOptions) {
  function labelsWritten(view: CellView): WrittenLabels {
    if (view.written) return view.written;
    const own = labelsOf(view.row, view.cell);
    const toHead = (suffix: string, labels: LabelSet) => {
      const metricName = `${name}${suffix}`;
      return { metricName, labels, text: `${metricName}${toLabelsText(labels)} ` };
    };
    const buckets = [...bounds, '+Inf'].map((le) => toHead('_bucket', { ...own, le }));
    const heads = [...buckets, toHead('_sum', own), toHead('_count', own)];
    view.written = { message: encodeLabels(own), heads };
    return view.written;
  }

  function nativeOf(state: CellState): NativeHistogram | undefined {
    if (native) state.native ??= toNativeHistogram(native, state.slots, maxBuckets);
    return state.native;
  }

  return {
    toSamples(state: CellState): Sample[] {
      const values = valuesOf(state);
      const { heads } = labelsWritten(state.view);
      const { createdMs } = state.view.cell;
      return heads.map(({ metricName, labels }, i) => {
        const sample = { metricName, labels, value: values[i] as number };
        return i === heads.length - 1 ? { ...sample, createdMs, native: nativeOf(state) } : sample;
      });
    },

    toText(state: CellState): string {
      const values = valuesOf(state);
      state.text ??= labelsWritten(state.view).heads.reduce(
        (text, head, i) => `${text}${head.text}${toNumberText(values[i] as number)}\n`,
        '',
      );
      return state.text;
    },

    toMessage(state: CellState, withNative: boolean): Uint8Array {
      const which = withNative && native ? 1 : 0;
      const known = state.messages[which];
      if (known) return known;
      const { count, sumSeconds, view } = state;
      const cumulated = cumulate(state.buckets);
      const histogram: Distribution = {
        count,
        sum: sumSeconds,
        points: [...bounds, Number.POSITIVE_INFINITY].map((bound, i) => [bound, cumulated[i] as number]),
        createdMs: view.cell.createdMs,
        native: which === 1 ? nativeOf(state) : undefined,
      };
      const message = encodeHistogram(labelsWritten(view).message, histogram);
      state.messages[which] = message;
      return message;
    },
  };
}

/** The values of a cell's lines, in the order of their heads: cumulated buckets, sum, count. */
function valuesOf({ buckets, sumSeconds, count }: CellState): number[] {
  return [...cumulate(buckets), sumSeconds, count];
}

function cumulate(buckets: readonly number[]): number[] {
  let sum = 0;
  return buckets.map((own) => {
    sum += own;
    return sum;
  });
}
