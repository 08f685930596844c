/**
 * The client library, as far as it is used: the only file that imports it, and the only one to change for another.
 * `prom-client` may be an npm alias of its successor, `@prometheus-io/client`; the tests run on both.
 */
import type { Registry } from 'prom-client';
import type { Family } from './exposition/family.ts';

export { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** All families of `registry`. Their values are taken when this is called, before anything is awaited. */
export async function gather(registry: Registry): Promise<readonly Family[]> {
  // The library's types call the type of a family an enumeration; it is a string.
  return (await registry.getMetricsAsJSON()) as unknown as Family[];
}

/** What a family is called, before it has values. */
export type Description = Omit<Family, 'values'>;

/**
 * Registers a family that is kept outside the library: `read` is called by every scrape, and by whoever else reads the
 * registry. @throws when the name is taken
 */
export function registerFamily(registry: Registry, description: Description, read: () => Family): void {
  const metric = {
    ...description,
    aggregator: 'sum',
    get: async () => read(),
    // What is counted is not the library's to reset: to Prometheus that would look like a restart.
    reset: () => undefined,
  };
  // The library's types know its own classes only; what it calls of a metric is what stands above.
  registry.registerMetric(metric as unknown as Parameters<Registry['registerMetric']>[0]);
}
