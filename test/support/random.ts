/** Seeded randomness for tests: the same seed, the same test. */
import { randomAt } from 'exact-load/random';

/** @returns numbers evenly distributed in [0, 1) */
export function createRandom(seed: number): () => number {
  let n = 0;
  return () => randomAt(seed, n++);
}

/** One of `values`, which must not be empty. */
export function pick<T>(random: () => number, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)] as T;
}
