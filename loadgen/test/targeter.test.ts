import { describe, expect, it } from '@jest/globals';
import { permutation } from '../src/load/random.ts';
import { exactTargeter, weightedTargeter } from '../src/load/targeter.ts';

const take = (targeter: (n: number) => number, count: number) =>
  Array.from({ length: count }, (_, n) => targeter(n));
/** How often each target was chosen. */
const countsOf = (taken: readonly number[], targets: number) =>
  Array.from({ length: targets }, (_, target) => taken.filter((one) => one === target).length);

describe('the exact targeter', () => {
  it('returns every target as often as its count', () => {
    expect(countsOf(take(exactTargeter([40, 30, 20, 10], 7), 100), 4)).toEqual([40, 30, 20, 10]);
  });

  it('shuffles the order, in the same way for the same seed', () => {
    const orderOf = (seed: number) => take(exactTargeter([40, 30, 20, 10], seed), 100);
    expect(orderOf(1)).toEqual(orderOf(1));
    expect(orderOf(1)).not.toEqual(orderOf(2));
    expect(orderOf(1)).not.toEqual(orderOf(1).toSorted());
  });

  it('shuffles billions without storing them', () => {
    const create = () => exactTargeter(Array<number>(500).fill(10_000_000), 1);
    const targeter = create();
    const drawn = take(targeter, 1000);
    expect(drawn.every((target) => Number.isInteger(target) && target >= 0 && target < 500)).toBe(true);
    // Of 500 equally frequent targets, 1000 draws miss 500 * (1 - 1/500)^1000 = 68 on average.
    expect(Math.abs(new Set(drawn).size - 432)).toBeLessThan(40);
    expect(targeter(4_999_999_999)).toBe(create()(4_999_999_999));
    expect(() => targeter(5_000_000_000)).toThrow('request 5000000000 of 5000000000');
  });
});

describe('the weighted targeter', () => {
  it('follows the weights within statistical limits', () => {
    const counts = countsOf(take(weightedTargeter([4, 3, 2, 1], 3), 100_000), 4);
    const misses = counts.map((count, target) => Math.abs(count - (4 - target) * 10_000));
    // Three standard deviations of a binomial with n = 100,000 are at most 475.
    expect(Math.max(...misses)).toBeLessThan(475);
  });

  it('is independent of earlier calls', () => {
    const targeter = weightedTargeter([1, 1, 1], 9);
    const forwards = take(targeter, 50);
    expect(take((n) => targeter(49 - n), 50)).toEqual(forwards.toReversed());
  });

  it.each([1e308, Number.MIN_VALUE])('treats several weights of %p as equal', (weight) => {
    const [first = 0, second = 0] = countsOf(take(weightedTargeter([weight, weight], 3), 10_000), 2);
    expect(first + second).toBe(10_000);
    expect(Math.abs(first - 5000)).toBeLessThan(150);
  });

  it('throws if the weights add up to 0', () => {
    expect(() => weightedTargeter([], 1)).toThrow('more than 0');
  });
});

describe('a permutation', () => {
  it('contains every number once, for every length', () => {
    const lengths = Array.from({ length: 260 }, (_, n) => n + 1);
    const broken = lengths.filter((count) => {
      const numbers = new Set(take(permutation(count, count), count));
      return numbers.size !== count || Math.min(...numbers) !== 0 || Math.max(...numbers) !== count - 1;
    });
    expect(broken).toEqual([]);
  });

  it.each([3, 10, 33])('of %i numbers has each at each position equally often, over many seeds', (count) => {
    const seeds = 2000;
    const found = Array.from({ length: count }, () => new Array<number>(count).fill(0));
    for (let seed = 1; seed <= seeds; seed++) {
      take(permutation(count, seed), count).forEach((n, at) => {
        const row = found[at] as number[];
        row[n] = (row[n] ?? 0) + 1;
      });
    }
    const expected = seeds / count;
    const chiSquared = found.flat().reduce((sum, times) => sum + (times - expected) ** 2 / expected, 0);
    // Five standard deviations above the mean of a chi-squared distribution.
    const freedom = (count - 1) ** 2;
    expect(chiSquared).toBeLessThan(freedom + 5 * Math.sqrt(2 * freedom));
  });
});
