/**
 * The buckets of a native histogram: every power of two seconds is divided into 16 parts of the same ratio, so that any
 * quantile is accurate to 4.4 %. This file only determines the bucket of a duration; the exposition encodes the buckets.
 * https://prometheus.io/docs/specs/native_histograms/
 */

export const SCHEMA = 4;
export const PARTS_PER_OCTAVE = 2 ** SCHEMA;

/** Durations up to this, in seconds (8 µs), count as zero: no server responds faster. A power of two. */
export const ZERO_THRESHOLD_SECONDS = 2 ** -17;

/** Longer durations, in seconds (9 hours), are counted as this one, so that clients cannot add buckets without limit. */
const LONGEST_SECONDS = 2 ** 15;

/** The length of a cell's array: slot 0 counts durations of zero, slot i > 0 the bucket of index `i + INDEX_OFFSET`. */
export const SLOTS = 1 + Math.log2(LONGEST_SECONDS / ZERO_THRESHOLD_SECONDS) * PARTS_PER_OCTAVE;

/** Added to a slot, yields the index of its bucket. Bucket i ends at 2^(i / 16) seconds, inclusive. */
export const INDEX_OFFSET = Math.log2(ZERO_THRESHOLD_SECONDS) * PARTS_PER_OCTAVE;

/** The slot for `seconds`. Off by one only within the last digit of a bound that is not a power of two. */
export function slotOf(seconds: number): number {
  // Includes NaN: no duration is NaN, but a count outside of the array would be lost.
  if (!(seconds > ZERO_THRESHOLD_SECONDS)) return 0;
  if (seconds >= LONGEST_SECONDS) return SLOTS - 1;
  return Math.ceil(Math.log2(seconds) * PARTS_PER_OCTAVE) - INDEX_OFFSET;
}
