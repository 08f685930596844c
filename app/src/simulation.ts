/** Artificial latency and errors, so that the dashboards have something to show. Pure: randomness is an argument. */

/** A range in milliseconds, and how often it is drawn from beside the others. */
export interface LatencyMode {
  readonly min: number;
  readonly max: number;
  readonly weight: number;
}

export interface SimulationConfig {
  /** Each request waits for a time drawn evenly from one of these: a cache that hits and misses has two. */
  readonly latencyMs: readonly LatencyMode[];
  /** The share of requests that fail, 0 to 1. */
  readonly errorRatio: number;
}

/** What happens to one request. */
export interface SimulatedOutcome {
  readonly delayMs: number;
  readonly fails: boolean;
}

/** Draws the outcome of each next request, or is undefined where nothing is to be simulated. */
export type Simulation = (() => SimulatedOutcome) | undefined;

/** @param random evenly distributed in [0, 1), as `Math.random` */
export function createSimulation(
  { latencyMs, errorRatio }: SimulationConfig,
  random = Math.random,
): Simulation {
  if (latencyMs.every(({ max }) => max === 0) && errorRatio === 0) return undefined;
  return () => ({
    delayMs: drawLatency(latencyMs, random()),
    fails: random() < errorRatio,
  });
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
