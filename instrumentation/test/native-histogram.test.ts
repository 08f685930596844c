/** The slots of durations in a native histogram, and the sparse form of the slots. */
import { describe, expect, it } from '@jest/globals';
import { createRandom } from '../../test/support/random.ts';
import { toNativeHistogram } from '../src/exposition/native-histogram.ts';
import { INDEX_OFFSET, SLOTS, slotOf, ZERO_THRESHOLD_SECONDS } from '../src/recording/native-buckets.ts';
import { copySlots } from '../src/recording/snapshot.ts';

const longest = 2 ** 15;

/** The index of the bucket according to the specification: the lowest whose upper bound is not exceeded. */
function indexByBounds(seconds: number): number {
  let index = Math.floor(Math.log2(seconds) * 16) - 2;
  while (2 ** (index / 16) < seconds) index++;
  return index;
}

function count(durations: readonly number[]) {
  const slots = new Float64Array(SLOTS);
  for (const seconds of durations) {
    const slot = slotOf(seconds);
    slots[slot] = (slots[slot] as number) + 1;
  }
  return toNativeHistogram(copySlots(slots));
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

describe('a duration', () => {
  it.each([
    ['of 0', 0, 0],
    ['at the threshold', ZERO_THRESHOLD_SECONDS, 0],
    ['measured by a clock that goes backwards', -1, 0],
    ['that is not a number', Number.NaN, 0],
    ['just above the threshold', ZERO_THRESHOLD_SECONDS * 1.0001, 1],
    ['at the longest that is distinguished', longest, SLOTS - 1],
    ['of a day', 86_400, SLOTS - 1],
    ['that is infinite', Number.POSITIVE_INFINITY, SLOTS - 1],
  ])('%s has a slot', (_name, seconds, slot) => {
    expect(slotOf(seconds)).toBe(slot);
  });

  it('of a power of two ends a bucket', () => {
    for (let exponent = -16; exponent < 15; exponent++) {
      const index = slotOf(2 ** exponent) + INDEX_OFFSET;
      expect([exponent, index]).toEqual([exponent, exponent * 16]);
      expect(slotOf(2 ** exponent * 1.000001) + INDEX_OFFSET).toBe(index + 1);
    }
  });

  it('is in the lowest bucket whose bound it does not exceed, for any duration', () => {
    const random = createRandom(20_261_124);
    for (let i = 0; i < 100_000; i++) {
      const seconds = 2 ** (-17 + 32 * random()) * (1 + 1e-9);
      if (seconds < longest) expect(slotOf(seconds) + INDEX_OFFSET).toBe(indexByBounds(seconds));
    }
  });
});

describe('the sparse form', () => {
  it('without requests has no buckets', () => {
    expect(toNativeHistogram(copySlots(undefined))).toEqual({ zeroCount: 0, spans: [], deltas: [] });
  });

  it('has neighbouring buckets in one span, and starts another after a gap', () => {
    // Buckets 0 (up to 1 s), 1, 2, and 16 (up to 2 s).
    const durations = [1, 1, 1, 1.01, 1.06, 1.06, 2, 2, 2, 2, 0];
    expect(count(durations)).toEqual({
      zeroCount: 1,
      spans: [
        { offset: 0, length: 3 },
        { offset: 13, length: 1 },
      ],
      deltas: [3, -2, 1, 2],
    });
  });

  it('decodes to the counts', () => {
    const random = createRandom(8);
    const durations = Array.from({ length: 20_000 }, () => 2 ** (-18 + 33 * random()));
    const expected = new Map<number, number>();
    for (const seconds of durations.filter((one) => one > ZERO_THRESHOLD_SECONDS)) {
      const index = Math.ceil(Math.log2(seconds) * 16);
      expected.set(index, (expected.get(index) ?? 0) + 1);
    }
    const histogram = count(durations);
    expect(unfold(histogram)).toEqual([...expected].sort(([a], [b]) => a - b));
    expect(histogram.zeroCount).toBe(durations.filter((one) => one <= ZERO_THRESHOLD_SECONDS).length);
  });
});
