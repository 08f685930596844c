/** From counted slots to the sparse form that Prometheus reads: spans of neighbouring buckets, and the steps between their counts. Pure. */
import { type NativeBuckets, ZERO_THRESHOLD_SECONDS } from '../recording/native-buckets.ts';
import type { SlotCounts } from '../recording/snapshot.ts';

export interface NativeHistogram {
  readonly schema: number;
  /** In seconds. */
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly spans: readonly Span[];
  /** Of each bucket in the spans, how much its count differs from the one before it. */
  readonly deltas: readonly number[];
}

export interface Span {
  /** The index of the first span's first bucket; of further spans, how many empty buckets stand before them. */
  readonly offset: number;
  readonly length: number;
}

/** Indexes, ascending, and counts. */
interface Buckets {
  readonly indexes: readonly number[];
  readonly counts: readonly number[];
}

/**
 * @param maxBuckets where more buckets than this have a count, they are joined in pairs, as often as it takes. A bucket never
 * becomes empty again, so the width of a series' buckets only ever grows, which Prometheus does not take for a restart
 */
export function toNativeHistogram(
  { schema, offset }: NativeBuckets,
  { slots, counts }: SlotCounts,
  maxBuckets: number,
): NativeHistogram {
  const zeros = slots[0] === 0 ? 1 : 0;
  let buckets: Buckets = {
    indexes: slots.slice(zeros).map((slot) => slot + offset),
    counts: counts.slice(zeros),
  };
  let coarser = schema;
  while (buckets.indexes.length > maxBuckets) {
    buckets = joinPairs(buckets);
    coarser--;
  }
  return {
    schema: coarser,
    zeroThreshold: ZERO_THRESHOLD_SECONDS,
    zeroCount: zeros === 1 ? (counts[0] as number) : 0,
    spans: toSpans(buckets.indexes),
    deltas: buckets.counts.map((count, i) => count - (buckets.counts[i - 1] ?? 0)),
  };
}

/** The bounds of half as many buckets an octave are every second one of these: bucket i goes into bucket ceil(i / 2). */
function joinPairs(buckets: Buckets): Buckets {
  const indexes: number[] = [];
  const counts: number[] = [];
  for (const [i, index] of buckets.indexes.entries()) {
    const half = (index + 1) >> 1;
    const count = buckets.counts[i] as number;
    const last = indexes.length - 1;
    if (indexes[last] === half) counts[last] = (counts[last] as number) + count;
    else {
      indexes.push(half);
      counts.push(count);
    }
  }
  return { indexes, counts };
}

function toSpans(indexes: readonly number[]): Span[] {
  const spans: { offset: number; length: number }[] = [];
  // The bucket after the last one of the spans so far; before any, offsets count from 0.
  let next = 0;
  for (const index of indexes) {
    const last = spans.at(-1);
    if (last && index === next) last.length++;
    else spans.push({ offset: index - next, length: 1 });
    next = index + 1;
  }
  return spans;
}
