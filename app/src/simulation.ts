/** Simulated latency and errors, so that dashboards have something to show. Pure: randomness is an argument. */

/** A range in milliseconds, and its weight relative to the others. */
interface LatencyMode {
  readonly min: number;
  readonly max: number;
  readonly weight: number;
}

/** Draws the simulated outcome of the next request. */
export type Simulation = () => { readonly delayMs: number; readonly fails: boolean };

/**
 * @param latencyMs each request is delayed by a time drawn uniformly from one of these ranges; a cache with hits and misses has two
 * @param errorRatio the share of requests that fail, 0 to 1
 * @param random uniformly distributed in [0, 1), like `Math.random`
 * @returns undefined if nothing is simulated
 */
export function createSimulation(
  latencyMs: readonly LatencyMode[],
  errorRatio: number,
  random = Math.random,
): Simulation | undefined {
  if (latencyMs.every(({ max }) => max === 0) && errorRatio === 0) return undefined;
  return () => ({ delayMs: drawLatency(latencyMs, random()), fails: random() < errorRatio });
}

/** @param drawn uniformly distributed in [0, 1); selects the range and the position in it */
function drawLatency(modes: readonly LatencyMode[], drawn: number): number {
  let rest = drawn * modes.reduce((sum, { weight }) => sum + weight, 0);
  for (const { min, max, weight } of modes) {
    if (rest < weight) return min + (rest / weight) * (max - min);
    rest -= weight;
  }
  return modes.at(-1)?.max ?? 0;
}
