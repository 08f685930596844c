/**
 * Metrics of the process (CPU, memory, file descriptors) and of Node (event loop, garbage collection, heap, resources),
 * under the names of the client library's default metrics. `tools/bench/` measures the cost of each at a scrape.
 *
 * They belong to the process, not to an application. All registries read one shared set, with one timer and one garbage
 * collection observer. The set does not reference registries, so it keeps no dropped application alive.
 */
import { type AnyRegistry, type Client, type MetricRegistry, metricsOf, registerMetric } from '../library.ts';
import { createEventLoopMetrics } from './event-loop.ts';

/**
 * The library's default metrics that are left out: gauges wrongly named `_total`, duplicates, the lag of the event loop, which
 * each scrape resets for all other readers, and its utilization, whose names promtool refuses.
 */
const NEVER = [
  'nodejs_active_resources_total',
  'nodejs_active_handles',
  'nodejs_active_requests',
  'nodejs_eventloop_lag_',
  'nodejs_eventloop_utilization_',
];

/** The library's sampling of the lag cannot be disabled, only made rare. */
const ONE_HOUR_MS = 3_600_000;

let shared: { readonly registry: AnyRegistry; readonly watch: () => () => void } | undefined;
let users = 0;
let stop = () => {};

function createShared({ Registry, collectDefaultMetrics }: Client) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: ONE_HOUR_MS });
  return { registry, watch: createEventLoopMetrics(registry) };
}

/**
 * @param client the library to create them with, if no other application of the process has done so
 * @param prefix the prefix of each name
 * @returns a function that ends this use; after the last one, the event loop is no longer watched
 */
export function createProcessMetrics(registry: MetricRegistry, client: Client, prefix: string): () => void {
  shared ??= createShared(client);
  for (const metric of metricsOf(shared.registry)) {
    const { name, help, type, aggregator } = metric;
    if (NEVER.some((beginning) => name.startsWith(beginning))) continue;
    const samples = async () =>
      (await metric.get()).values.map(({ labels = {}, value, metricName }) => ({
        labels,
        value,
        ...(metricName && { metricName: prefix + metricName }),
      }));
    registerMetric(registry, { name: prefix + name, help, type }, samples, aggregator);
  }
  if (users++ === 0) stop = shared.watch();
  return () => {
    if (--users === 0) stop();
  };
}
