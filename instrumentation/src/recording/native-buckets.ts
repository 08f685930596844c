/**
 * The buckets of a native histogram: every power of two seconds is divided into 2^schema parts of the same ratio, so that
 * any quantile is right up to the width of one of them. Which part a duration falls into, and no more; what they look like
 * on the wire is the exposition's business. https://prometheus.io/docs/specs/native_histograms/
 */

/** Up to this long, in seconds (8 µs), a duration counts as none: no server answers faster. A power of two. */
export const ZERO_THRESHOLD_SECONDS = 2 ** -17;

/** What takes longer, in seconds (9 hours), counts as this long, so that no client can add buckets without end. */
const LONGEST_SECONDS = 2 ** 15;

const OCTAVES = 15 + 17;

/** Beyond 32 parts an octave the buckets cost more than the clock and the network leave to be seen. */
const FINEST_SCHEMA = 5;

export interface NativeBuckets {
  readonly schema: number;
  /** Buckets for each power of two: 2^schema. */
  readonly perOctave: number;
  /** How many numbers a cell has: the first is what took no time, slot i > 0 is the bucket of index `i + offset`. */
  readonly slots: number;
  /** From a slot to the index of its bucket: bucket i ends, inclusive, at 2^(i / perOctave) seconds. */
  readonly offset: number;
}

/**
 * @param growthFactor how many times as large as the bucket below it a bucket may be at most: more than 1. As in Go's client
 * library, the coarsest schema that keeps it: 1.1 is 8 buckets an octave, 1.05 is 16
 */
export function createNativeBuckets(growthFactor: number): NativeBuckets {
  const exact = -Math.log2(Math.log2(growthFactor));
  // A factor that is meant to be that of a schema may miss it by its last digit.
  const schema = Math.min(Math.max(Math.ceil(exact - 1e-9), 0), FINEST_SCHEMA);
  const perOctave = 2 ** schema;
  return {
    schema,
    perOctave,
    slots: 1 + OCTAVES * perOctave,
    offset: Math.log2(ZERO_THRESHOLD_SECONDS) * perOctave,
  };
}

/** The slot that `seconds` is counted in. Wrong by one only within the last digit of a bound that is no power of two. */
export function slotOf({ perOctave, slots, offset }: NativeBuckets, seconds: number): number {
  // Also what is no number: a duration never is, and a slot outside of the array would be lost.
  if (!(seconds > ZERO_THRESHOLD_SECONDS)) return 0;
  if (seconds >= LONGEST_SECONDS) return slots - 1;
  return Math.ceil(Math.log2(seconds) * perOctave) - offset;
}
