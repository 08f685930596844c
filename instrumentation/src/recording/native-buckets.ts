/**
 * The buckets of a native histogram: every power of two seconds is divided into 16 parts of the same ratio, so that any
 * quantile is right up to 4.4 %. Which part a duration falls into, and no more; what they look like on the wire is the
 * exposition's business. https://prometheus.io/docs/specs/native_histograms/
 */

export const SCHEMA = 4;
export const PARTS_PER_OCTAVE = 2 ** SCHEMA;

/** Durations up to this, in seconds (8 µs), count as zero: no server answers faster. A power of two. */
export const ZERO_THRESHOLD_SECONDS = 2 ** -17;

/** Longer durations, in seconds (9 hours), count as this one, so that clients cannot add buckets without limit. */
const LONGEST_SECONDS = 2 ** 15;

/** The length of a cell's array: slot 0 counts durations of zero, slot i > 0 the bucket of index `i + INDEX_OFFSET`. */
export const SLOTS = 1 + Math.log2(LONGEST_SECONDS / ZERO_THRESHOLD_SECONDS) * PARTS_PER_OCTAVE;

/** From a slot to the index of its bucket: bucket i ends, inclusive, at 2^(i / 16) seconds. */
export const INDEX_OFFSET = Math.log2(ZERO_THRESHOLD_SECONDS) * PARTS_PER_OCTAVE;

/** The slot for `seconds`. Off by one only within the last digit of a bound that is no power of two. */
export function slotOf(seconds: number): number {
  // NaN, too: no duration is NaN, but a slot outside of the array would be lost.
  if (!(seconds > ZERO_THRESHOLD_SECONDS)) return 0;
  if (seconds >= LONGEST_SECONDS) return SLOTS - 1;
  return Math.ceil(Math.log2(seconds) * PARTS_PER_OCTAVE) - INDEX_OFFSET;
}
