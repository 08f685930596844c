/**
 * Metrics of the process (CPU, memory, file descriptors) and of Node (event loop, garbage collection, heap, resources),
 * under the names of the client library's default metrics. What each costs at a scrape is measured in `tools/bench/`.
 *
 * They are the process' and not an application's: there is one set, with one timer and one observer of the garbage collection,
 * which registries read. Nothing in it knows a registry, so nothing keeps an application that was dropped.
 */
import { type AnyRegistry, type Client, metricsOf, registerMetric } from '../library.ts';
import { createEventLoopMetrics } from './event-loop.ts';

/**
 * Of the library's default metrics, those that are left out: gauges wrongly named `_total`, repetitions, the event loop's lag,
 * which a scrape sets back to 0 for all other readers, and its utilization, whose names promtool refuses.
 */
const NEVER = [
  'nodejs_active_resources_total',
  'nodejs_active_handles',
  'nodejs_active_requests',
  'nodejs_eventloop_lag_',
  'nodejs_eventloop_utilization_',
];

/** The library cannot leave out its own sampling of the lag, only do it rarely. */
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
 * @param client where they come from, if no application of the process has asked for them before
 * @param prefix stands before each name
 * @returns what ends the use of them; with the last user, the event loop is not watched any more
 */
export function createProcessMetrics(registry: AnyRegistry, client: Client, prefix = ''): () => void {
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
