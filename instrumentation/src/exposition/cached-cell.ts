/**
 * How the histogram of a cell is encoded. The bytes are kept for as long as nothing is added to the cell, and then
 * overwritten in place: a scrape of thousands of cells leaves nothing behind that would have to be collected.
 */
import type { Cell, Row } from '../recording/counts.ts';
import type { NativeBuckets } from '../recording/native-buckets.ts';
import { type Snapshot, slotsOf } from '../recording/snapshot.ts';
import { type LabelSet, type Sample, toNumberText } from './family.ts';
import { toNativeHistogram } from './native-histogram.ts';
import { encodeHistogram, encodeLabels } from './protobuf-metric.ts';
import { toLabelsText } from './text.ts';

/** What is kept of a cell from scrape to scrape. */
export interface CachedCell {
  readonly row: Row;
  readonly cell: Cell;
  labels: EncodedLabels | undefined;
  readonly text: CachedBytes;
  /** Without and with native buckets. */
  readonly messages: readonly [CachedBytes, CachedBytes];
}

interface EncodedLabels {
  readonly message: Uint8Array;
  /** Name and labels of its lines: the buckets, the sum, the count. */
  readonly heads: readonly {
    readonly metricName: string;
    readonly labels: LabelSet;
    readonly text: string;
  }[];
}

/** Bytes, and the numbers that they say. */
interface CachedBytes {
  snapshot: Snapshot | undefined;
  bytes: Uint8Array;
  length: number;
}

/** Numbers gain digits: with a quarter to spare, bytes are seldom allocated again. */
const SPARE = 1.25;

export function createCachedCell(row: Row, cell: Cell): CachedCell {
  const nothing = (): CachedBytes => ({ snapshot: undefined, bytes: new Uint8Array(), length: 0 });
  return { row, cell, labels: undefined, text: nothing(), messages: [nothing(), nothing()] };
}

export interface CellEncoderOptions {
  /** Of the histogram. */
  readonly name: string;
  readonly labelsOf: (row: Row, cell: Cell) => LabelSet;
  readonly bounds: readonly number[];
  readonly native: NativeBuckets | undefined;
  /** Of a native histogram; where more have a count, they become wider. */
  readonly maxBuckets: number;
}

export type CellEncoder = ReturnType<typeof createCellEncoder>;

export function createCellEncoder({ name, labelsOf, bounds, native, maxBuckets }: CellEncoderOptions) {
  const allBounds = [...bounds, Number.POSITIVE_INFINITY];

  function labelsEncoded(cached: CachedCell): EncodedLabels {
    if (cached.labels) return cached.labels;
    const own = labelsOf(cached.row, cached.cell);
    const toHead = (suffix: string, labels: LabelSet) => {
      const metricName = `${name}${suffix}`;
      return { metricName, labels, text: `${metricName}${toLabelsText(labels)} ` };
    };
    const buckets = [...bounds, '+Inf'].map((le) => toHead('_bucket', { ...own, le }));
    const heads = [...buckets, toHead('_sum', own), toHead('_count', own)];
    cached.labels = { message: encodeLabels(own), heads };
    return cached.labels;
  }

  const nativeOf = (snapshot: Snapshot) => native && toNativeHistogram(native, slotsOf(snapshot), maxBuckets);

  return {
    toSamples(cached: CachedCell, snapshot: Snapshot): Sample[] {
      const values = valuesOf(snapshot);
      const { heads } = labelsEncoded(cached);
      const { createdMs } = cached.cell;
      return heads.map(({ metricName, labels }, i) => {
        const sample = { metricName, labels, value: values[i] as number };
        return i === heads.length - 1 ? { ...sample, createdMs, native: nativeOf(snapshot) } : sample;
      });
    },

    toText(cached: CachedCell, snapshot: Snapshot): Uint8Array {
      return reuse(cached.text, snapshot, () => {
        const values = valuesOf(snapshot);
        const { heads } = labelsEncoded(cached);
        return Buffer.from(
          heads.map(({ text }, i) => `${text}${toNumberText(values[i] as number)}\n`).join(''),
        );
      });
    },

    toMessage(cached: CachedCell, snapshot: Snapshot, withNative: boolean): Uint8Array {
      const sendsNative = withNative && native !== undefined;
      return reuse(cached.messages[sendsNative ? 1 : 0], snapshot, () => {
        const cumulated = cumulate(snapshot.buckets);
        return encodeHistogram(labelsEncoded(cached).message, {
          count: snapshot.count,
          sum: snapshot.sumSeconds,
          points: allBounds.map((bound, i) => [bound, cumulated[i] as number]),
          createdMs: cached.cell.createdMs,
          native: sendsNative ? nativeOf(snapshot) : undefined,
        });
      });
    },
  };
}

/** What is kept, if it says `snapshot`; otherwise what `encode` returns, which is kept from now on. */
function reuse(cache: CachedBytes, snapshot: Snapshot, encode: () => Uint8Array): Uint8Array {
  if (cache.snapshot !== snapshot) {
    const bytes = encode();
    if (cache.bytes.length < bytes.length) cache.bytes = new Uint8Array(Math.ceil(bytes.length * SPARE));
    cache.bytes.set(bytes);
    cache.length = bytes.length;
    cache.snapshot = snapshot;
  }
  return cache.bytes.subarray(0, cache.length);
}

/** The values of a cell's lines, in the order of their heads: cumulated buckets, sum, count. */
function valuesOf({ buckets, sumSeconds, count }: Snapshot): number[] {
  return [...cumulate(buckets), sumSeconds, count];
}

function cumulate(buckets: readonly number[]): number[] {
  let sum = 0;
  return buckets.map((own) => {
    sum += own;
    return sum;
  });
}
