/** Seeded randomness: the same seed gives the same plan on every machine. */

/** The n-th number of a sequence of independent numbers in [0, 1). */
export function randomAt(seed: number, n: number): number {
  return bitsAt(seed, n) / 4_294_967_296;
}

/** The n-th number of a sequence of independent 32-bit numbers (mulberry32's mixer on a counter, so that it needs no state). */
function bitsAt(seed: number, n: number): number {
  let t = (seed + Math.imul(n + 1, 0x6d2b79f5)) | 0;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return (t ^ (t >>> 14)) >>> 0;
}

/** The n-th text of a sequence of texts of 16 hexadecimal digits. */
export function hexAt(seed: number, n: number): string {
  const digits = (at: number) => bitsAt(seed, at).toString(16).padStart(8, '0');
  return digits(2 * n) + digits(2 * n + 1);
}

/**
 * Fewer rounds leave patterns in small permutations (a test checks that); more rounds take time. The number is even, so that both
 * halves are mixed equally.
 */
const ROUNDS = 8;

/**
 * A shuffled order of the numbers from 0 to `count`, computed without storing it: a Feistel network, which is one-to-one for any
 * round function, over the next power of two. Numbers beyond `count` pass through the network again, which preserves this property
 * (cycle walking: Black and Rogaway, Ciphers with Arbitrary Finite Domains, 2002).
 * @returns a function from a position to the number at that position
 */
export function permutation(count: number, seed: number): (position: number) => number {
  const bits = Math.ceil(Math.log2(count));
  const low = 2 ** Math.floor(bits / 2);
  const high = 2 ** Math.ceil(bits / 2);
  const keys = Int32Array.from({ length: ROUNDS }, (_, round) => bitsAt(seed, round));
  const through = (n: number) => {
    let left = Math.floor(n / low);
    let right = n % low;
    for (let round = 0; round < ROUNDS; round += 2) {
      left ^= bitsAt(keys[round] ?? 0, right) & (high - 1);
      right ^= bitsAt(keys[round + 1] ?? 0, left) & (low - 1);
    }
    return left * low + right;
  };
  return (position) => {
    let n = through(position);
    while (n >= count) n = through(n);
    return n;
  };
}
