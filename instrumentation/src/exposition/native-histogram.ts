/**
 * Converts counted slots to the sparse form that Prometheus reads: spans of buckets, and the differences between their
 * counts. Pure.
 */
import { INDEX_OFFSET } from '../recording/native-buckets.ts';
import type { Exemplar, SlotCounts, Snapshot } from '../recording/snapshot.ts';

export interface NativeHistogram {
  readonly zeroCount: number;
  readonly spans: readonly Span[];
  /** For each bucket in the spans, the difference between its count and the previous one. */
  readonly deltas: readonly number[];
  readonly exemplars?: readonly Exemplar[] | undefined;
}

export interface Span {
  /** The index of the first span's first bucket; for further spans, the number of empty buckets before them. */
  readonly offset: number;
  readonly length: number;
}

export function toNativeHistogram(
  { slots, counts }: SlotCounts,
  exemplars?: Snapshot['exemplars'],
): NativeHistogram {
  const zeros = slots[0] === 0 ? 1 : 0;
  const own = counts.slice(zeros);
  return {
    zeroCount: zeros === 1 ? (counts[0] as number) : 0,
    spans: toSpans(slots.slice(zeros).map((slot) => slot + INDEX_OFFSET)),
    deltas: own.map((count, i) => count - (own[i - 1] ?? 0)),
    exemplars: exemplars?.filter((exemplar) => exemplar !== undefined),
  };
}

function toSpans(indexes: readonly number[]): Span[] {
  const spans: { offset: number; length: number }[] = [];
  // The index after the last bucket of the spans so far. The first offset counts from 0.
  let next = 0;
  for (const index of indexes) {
    const last = spans.at(-1);
    if (last && index === next) last.length++;
    else spans.push({ offset: index - next, length: 1 });
    next = index + 1;
  }
  return spans;
}
