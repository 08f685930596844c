/** Artificial latency and errors, so that the dashboards have something to show. Pure: randomness is an argument. */

/** A range in milliseconds, and how often it is drawn from compared with the others. */
export interface LatencyMode {
  readonly min: number;
  readonly max: number;
  readonly weight: number;
}

/** What happens to one request. */
export interface SimulatedOutcome {
  readonly delayMs: number;
  readonly fails: boolean;
}

/** Draws the outcome of each next request. */
export type Simulation = () => SimulatedOutcome;

/**
 * @param latencyMs each request waits for a time drawn evenly from one of these: a cache that hits and misses has two
 * @param errorRatio the share of requests that fail, 0 to 1
 * @param random evenly distributed in [0, 1), as `Math.random`
 * @returns undefined where nothing is to be simulated
 */
export function createSimulation(
  latencyMs: readonly LatencyMode[],
  errorRatio: number,
  random = Math.random,
): Simulation | undefined {
  if (latencyMs.every(({ max }) => max === 0) && errorRatio === 0) return undefined;
  return () => ({ delayMs: drawLatency(latencyMs, random()), fails: random() < errorRatio });
}

/** @param drawn evenly distributed in [0, 1): which range, and where in it */
function drawLatency(modes: readonly LatencyMode[], drawn: number): number {
  let rest = drawn * modes.reduce((sum, { weight }) => sum + weight, 0);
  for (const { min, max, weight } of modes) {
    if (rest < weight) return min + (rest / weight) * (max - min);
    rest -= weight;
  }
  return modes.at(-1)?.max ?? 0;
}
