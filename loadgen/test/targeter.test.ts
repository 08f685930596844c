import { describe, expect, it } from '@jest/globals';
import { shuffle } from '../src/load/random.ts';
import { exactTargeter, weightedTargeter } from '../src/load/targeter.ts';

const take = (targeter: (n: number) => number, count: number) =>
  Array.from({ length: count }, (_, n) => targeter(n));
const tally = (targets: readonly number[]) =>
  Object.fromEntries(
    [...Map.groupBy(targets, (target) => target)].map(([target, all]) => [target, all.length]),
  );

describe('the exact targeter', () => {
  it('gives every target as often as its count says', () => {
    expect(tally(take(exactTargeter([40, 30, 20, 10], 7), 100))).toEqual({ 0: 40, 1: 30, 2: 20, 3: 10 });
  });

  it('mixes the order, the same way for the same seed', () => {
    const order = take(exactTargeter([40, 30, 20, 10], 1), 100);
    expect(order).toEqual(take(exactTargeter([40, 30, 20, 10], 1), 100));
    expect(order).not.toEqual(take(exactTargeter([40, 30, 20, 10], 2), 100));
    expect(order).not.toEqual(order.toSorted());
  });

  it('throws beyond its last request', () => {
    expect(() => exactTargeter([2], 1)(2)).toThrow('request 2 of 2');
  });
});

describe('the weighted targeter', () => {
  it('keeps to the weights within what chance allows', () => {
    const counts = tally(take(weightedTargeter([4, 3, 2, 1], 3), 100_000));
    // Three standard deviations of a binomial with n = 100,000 are at most 475.
    for (const [target, share] of [40_000, 30_000, 20_000, 10_000].entries()) {
      expect(Math.abs((counts[target] ?? 0) - share)).toBeLessThan(475);
    }
  });

  it('answers for any number alone, whatever was asked before', () => {
    const targeter = weightedTargeter([1, 1, 1], 9);
    const forwards = take(targeter, 50);
    const backwards = Array.from({ length: 50 }, (_, n) => targeter(49 - n)).reverse();
    expect(backwards).toEqual(forwards);
  });

  it('refuses weights that sum to nothing', () => {
    expect(() => weightedTargeter([], 1)).toThrow('more than 0');
  });
});

it('shuffles without losing anything', () => {
  const items = Uint32Array.from({ length: 1000 }, (_, n) => n);
  shuffle(items, 5);
  expect([...items]).not.toEqual(Array.from({ length: 1000 }, (_, n) => n));
  expect([...items.toSorted()]).toEqual(Array.from({ length: 1000 }, (_, n) => n));
});
