/** Which target each request goes to: pure functions from a request's number (from 0) to a target's index. */
import { randomAt, shuffle } from './random.ts';

export type Targeter = (n: number) => number;

/** Every target exactly as often as its count says, in a shuffled order. `n` beyond the sum of the counts throws. */
export function exactTargeter(counts: readonly number[], seed: number): Targeter {
  // Not a list of numbers but four bytes each: a pattern may hold millions.
  const order = new Uint32Array(counts.reduce((sum, count) => sum + count, 0));
  let at = 0;
  for (const [target, count] of counts.entries()) {
    order.fill(target, at, at + count);
    at += count;
  }
  shuffle(order, seed);
  return (n) => {
    const target = order[n];
    if (target === undefined) throw new RangeError(`request ${n} of ${order.length}`);
    return target;
  };
}

/** Targets at random in proportion to their weights; a schedule of any length. */
export function weightedTargeter(weights: readonly number[], seed: number): Targeter {
  const bounds: number[] = [];
  let total = 0;
  for (const weight of weights) {
    total += weight;
    bounds.push(total);
  }
  if (!(total > 0)) throw new RangeError('weights must sum to more than 0');
  return (n) => {
    const point = randomAt(seed, n) * total;
    return bounds.findIndex((bound) => point < bound);
  };
}
