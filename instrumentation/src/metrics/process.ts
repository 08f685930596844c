/**
 * Metrics of the process (CPU, memory, file descriptors) and of Node (event loop, garbage collection, heap, resources),
 * under the names of the client library's default metrics. What each costs at a scrape is measured in `bench/`.
 */
import { collectDefaultMetrics, type Registry } from '../library.ts';
import { createEventLoopMetrics } from './event-loop.ts';

/**
 * Of the library's default metrics, those that are left out: gauges wrongly named `_total`, repetitions, and the event
 * loop's lag, which a scrape sets back to 0 for everybody else who looks.
 */
const NEVER = [
  'nodejs_active_resources_total',
  'nodejs_active_handles',
  'nodejs_active_requests',
  'nodejs_eventloop_lag_',
];

/** The library cannot leave out its own sampling of the lag, only do it rarely. */
const ONE_HOUR_MS = 3_600_000;

export interface ProcessMetricsOptions {
  /** Beginnings of the names of families to leave out: `['nodejs_heap_']`. */
  readonly without?: readonly string[];
}

/** @param prefix stands before each name */
export function createProcessMetrics(
  registry: Registry,
  { without = [] }: ProcessMetricsOptions = {},
  prefix = '',
): void {
  const before = new Set(registry.getMetricsAsArray().map(({ name }) => name));
  collectDefaultMetrics({ register: registry, prefix, eventLoopMonitoringPrecision: ONE_HOUR_MS });
  createEventLoopMetrics(registry, prefix);
  for (const { name } of registry.getMetricsAsArray()) {
    const isUnwanted = [...NEVER, ...without].some((beginning) => name.startsWith(prefix + beginning));
    if (isUnwanted && !before.has(name)) registry.removeSingleMetric(name);
  }
}
