/** Seeded randomness: the same seed gives the same plan on every machine. */

/** The n-th of a row of independent numbers in [0, 1) (mulberry32's mixer on a counter, so that it needs no state). */
export function randomAt(seed: number, n: number): number {
  let t = (seed + Math.imul(n + 1, 0x6d2b79f5)) | 0;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
}

/** Shuffles in place (Fisher and Yates). */
export function shuffle(items: Uint32Array, seed: number): void {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(randomAt(seed, last) * (last + 1));
    const moved = items[last] ?? 0;
    items[last] = items[other] ?? 0;
    items[other] = moved;
  }
}
