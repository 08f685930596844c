/** Registers the four request metrics. They read the counted numbers when they are scraped, and never during a request. */
import {
  createRequestFamilies,
  type RequestFamilies,
  type RequestLabelNames,
  type RequestMetricNames,
} from '../exposition/request-families.ts';
import { type AnyRegistry, registerFamily } from '../library.ts';
import type { RequestCounts } from '../recording/counts.ts';

/**
 * @param maxBuckets of a native histogram
 * @throws when a name is taken in `registry`
 */
export function registerRequestMetrics(
  registry: AnyRegistry,
  counts: RequestCounts,
  names: RequestMetricNames,
  labels: RequestLabelNames,
  maxBuckets: number,
): void {
  const families = createRequestFamilies(counts, names, labels, maxBuckets);
  const order: readonly (keyof RequestFamilies)[] = ['requests', 'errors', 'inProgress', 'durations'];
  for (const metric of order) registerFamily(registry, families[metric]);
}
