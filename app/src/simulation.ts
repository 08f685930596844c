/** Artificial latency and errors, so that the dashboards have something to show. Pure: randomness is an argument. */

export interface SimulationConfig {
  /** Each request waits for a time drawn evenly from this range, in milliseconds. */
  readonly latencyMs: { readonly min: number; readonly max: number };
  /** The share of requests that fail, 0 to 1. */
  readonly errorRatio: number;
}

/** What happens to one request. */
export interface Fate {
  readonly delayMs: number;
  readonly fails: boolean;
}

/** Draws the fate of each next request, or is undefined where nothing is to be simulated. */
export type Simulation = (() => Fate) | undefined;

/** @param random evenly distributed in [0, 1), as `Math.random` */
export function createSimulation(
  { latencyMs, errorRatio }: SimulationConfig,
  random = Math.random,
): Simulation {
  if (latencyMs.max === 0 && errorRatio === 0) return undefined;
  return () => ({
    delayMs: latencyMs.min + random() * (latencyMs.max - latencyMs.min),
    fails: random() < errorRatio,
  });
}
