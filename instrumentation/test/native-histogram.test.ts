/** Where a duration is counted in a native histogram, and the sparse form that is made of it. */
import { describe, expect, it } from '@jest/globals';
import { createRandom } from '../../test/support/random.ts';
import { toNativeHistogram } from '../src/exposition/native-histogram.ts';
import { createNativeBuckets, slotOf, ZERO_THRESHOLD_SECONDS } from '../src/recording/native-buckets.ts';
import { copySlots } from '../src/recording/snapshot.ts';

const buckets = createNativeBuckets(1.05);
const longest = 2 ** 15;

/** The index of the bucket that a reader of the specification expects: the lowest whose upper bound is not exceeded. */
function indexByBounds(seconds: number, perOctave: number): number {
  let index = Math.floor(Math.log2(seconds) * perOctave) - 2;
  while (2 ** (index / perOctave) < seconds) index++;
  return index;
}

function count(durations: readonly number[], { maxBuckets = 1_000, growthFactor = 1.05 } = {}) {
  const own = createNativeBuckets(growthFactor);
  const slots = new Float64Array(own.slots);
  for (const seconds of durations) {
    const slot = slotOf(own, seconds);
    slots[slot] = (slots[slot] as number) + 1;
  }
  return toNativeHistogram(own, copySlots(slots), maxBuckets);
}

/** Bucket counts by index, read as Prometheus does. */
function unfold({ spans, deltas }: ReturnType<typeof count>): [index: number, count: number][] {
  const result: [number, number][] = [];
  let index = 0;
  let value = 0;
  let i = 0;
  for (const { offset, length } of spans) {
    index += offset;
    for (let k = 0; k < length; k++) {
      value += deltas[i++] as number;
      result.push([index++, value]);
    }
  }
  return result;
}

const total = (histogram: ReturnType<typeof count>) =>
  unfold(histogram).reduce((sum, [, value]) => sum + value, histogram.zeroCount);

describe('the growth factor', () => {
  // As in client_golang: the coarsest schema whose buckets grow by no more.
  it.each([
    [1.02, 5],
    [1.0219, 5],
    [1.04, 5],
    [1.05, 4],
    [1.09, 4],
    [1.1, 3],
    [1.2, 2],
    [1.5, 1],
    [2, 0],
  ])('of %d is schema %i', (growthFactor, schema) => {
    expect(createNativeBuckets(growthFactor).schema).toBe(schema);
  });
});

describe('a duration', () => {
  it.each([
    ['of nothing', 0, 0],
    ['below the threshold', ZERO_THRESHOLD_SECONDS / 2, 0],
    ['at the threshold', ZERO_THRESHOLD_SECONDS, 0],
    ['that is the least above 0', Number.MIN_VALUE, 0],
    ['that a clock going backwards would give', -1, 0],
    ['that is no number', Number.NaN, 0],
    ['just above the threshold', ZERO_THRESHOLD_SECONDS * 1.0001, 1],
    ['of the longest that is told apart', longest, buckets.slots - 1],
    ['of a day', 86_400, buckets.slots - 1],
    ['without end', Number.POSITIVE_INFINITY, buckets.slots - 1],
  ])('%s has a slot', (_name, seconds, slot) => {
    expect(slotOf(buckets, seconds)).toBe(slot);
  });

  it.each([0, 1, 2, 3, 4, 5])('that is a power of two ends a bucket of schema %i', (schema) => {
    const own = createNativeBuckets(2 ** (2 ** -schema));
    expect(own.schema).toBe(schema);
    for (let exponent = -16; exponent < 15; exponent++) {
      const index = slotOf(own, 2 ** exponent) + own.offset;
      expect([exponent, index]).toEqual([exponent, exponent * own.perOctave]);
      expect(slotOf(own, 2 ** exponent * 1.000001) + own.offset).toBe(index + 1);
    }
  });

  it('is in the lowest bucket whose bound it does not exceed, wherever it lies', () => {
    const random = createRandom(20_261_124);
    for (let i = 0; i < 100_000; i++) {
      const seconds = 2 ** (-17 + 32 * random()) * (1 + 1e-9);
      if (seconds >= longest) continue;
      expect(slotOf(buckets, seconds) + buckets.offset).toBe(indexByBounds(seconds, 16));
    }
  });
});

describe('the sparse form', () => {
  it('of nothing says its threshold, so that it is a native histogram all the same', () => {
    expect(toNativeHistogram(buckets, copySlots(undefined), 160)).toEqual({
      schema: 4,
      zeroThreshold: 2 ** -17,
      zeroCount: 0,
      spans: [],
      deltas: [],
    });
  });

  it('has neighbours in one span, and after a gap another', () => {
    // Bounds at schema 0: 0.25 (index -2), 0.5 (-1), 1 (0), 2 (1), 16 (4).
    const durations = [0.2, 0.2, 0.2, 0.3, 0.9, 0.9, 1.5, 9, 9, 9, 9, 0];
    expect(count(durations, { growthFactor: 2 })).toEqual({
      schema: 0,
      zeroThreshold: 2 ** -17,
      zeroCount: 1,
      spans: [
        { offset: -2, length: 4 },
        { offset: 2, length: 1 },
      ],
      deltas: [3, -2, 1, -1, 3],
    });
  });

  it('read again is what was counted, in wider buckets where there would be too many', () => {
    const random = createRandom(8);
    const durations = Array.from({ length: 20_000 }, () => 2 ** (-18 + 33 * random()));
    for (const [maxBuckets, schema] of [
      [512, 4],
      [256, 3],
      [160, 2],
      [100, 1],
      [20, -1],
    ] as const) {
      const histogram = count(durations, { maxBuckets });
      expect([maxBuckets, histogram.schema]).toEqual([maxBuckets, schema]);
      expect(unfold(histogram).length).toBeLessThanOrEqual(maxBuckets);
      expect(total(histogram)).toBe(durations.length);
      expect(histogram.zeroCount).toBe(
        durations.filter((seconds) => seconds <= ZERO_THRESHOLD_SECONDS).length,
      );
      // As if it had been counted that coarsely at once.
      const perOctave = 2 ** schema;
      const expected = new Map<number, number>();
      for (const seconds of durations.filter((seconds) => seconds > ZERO_THRESHOLD_SECONDS)) {
        const index = Math.ceil(Math.log2(seconds) * perOctave);
        expected.set(index, (expected.get(index) ?? 0) + 1);
      }
      expect(unfold(histogram)).toEqual([...expected].sort(([a], [b]) => a - b));
    }
  });

  it('never becomes finer again as more is counted', () => {
    const random = createRandom(9);
    const durations: number[] = [];
    let coarsest = 4;
    for (let i = 0; i < 300; i++) {
      durations.push(2 ** (-12 + 20 * random()));
      const { schema } = count(durations, { maxBuckets: 40 });
      expect(schema).toBeLessThanOrEqual(coarsest);
      coarsest = schema;
    }
    expect(coarsest).toBe(1);
  });
});
