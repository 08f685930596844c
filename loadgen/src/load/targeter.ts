/** Determines the target of each request: pure functions from a request's number (from 0) to a target's index. */
import { permutation, randomAt } from './random.ts';

export type Targeter = (n: number) => number;

/** Uses each target exactly `count` times, in a shuffled order. Throws if `n` exceeds the sum of the counts. */
export function exactTargeter(counts: readonly number[], seed: number): Targeter {
  const { bounds, total } = addUp(counts);
  const shuffled = permutation(total, seed);
  return (n) => {
    if (n >= total) throw new RangeError(`request ${n} of ${total}`);
    return firstAbove(bounds, shuffled(n));
  };
}

/** Random targets in proportion to their weights, for a schedule of any length. */
export function weightedTargeter(weights: readonly number[], seed: number): Targeter {
  // Relative to the heaviest, so that the sum of very large weights is not Infinity, and that of very small ones not 0.
  const heaviest = weights.reduce((most, weight) => Math.max(most, weight), 0);
  const { bounds, total } = addUp(weights.map((weight) => weight / heaviest));
  if (!(total > 0)) throw new RangeError('weights must sum to more than 0');
  return (n) => firstAbove(bounds, randomAt(seed, n) * total);
}

function addUp(parts: readonly number[]): { bounds: number[]; total: number } {
  let total = 0;
  const bounds = parts.map((part) => {
    total += part;
    return total;
  });
  return { bounds, total };
}

/** The index of the first bound above a point. The bounds ascend, and the last one must be above the point. */
function firstAbove(bounds: readonly number[], point: number): number {
  let from = 0;
  let to = bounds.length - 1;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (point < (bounds[middle] ?? 0)) to = middle;
    else from = middle + 1;
  }
  return from;
}
