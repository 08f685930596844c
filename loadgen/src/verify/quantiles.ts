/**
 * The quantiles of durations between two snapshots, from Prometheus' histogram. Only for display: quantiles are interpolated within
 * buckets, so the verification does not use them.
 */

import type { Metrics } from '../common/metrics.ts';
import { isSameProcess, ofJob, type Snapshot, type Source } from './process.ts';

export const QUANTILES = [0.5, 0.9, 0.99] as const;

/** In seconds; null for each quantile that Prometheus does not return, for any reason. */
export function readQuantiles(
  { prometheus, job, metrics, signal }: Source & { readonly metrics: Metrics },
  before: Snapshot,
  after: Snapshot,
): Promise<(number | null)[]> {
  const metric = metrics.counters
    .map(({ name }) => name.replace(/_count$/, ''))
    .find((name) => name.endsWith('_seconds'));
  if (metric === undefined) return Promise.resolve(QUANTILES.map(() => null));
  const scrapes = [...before.instances, ...after.instances].map(({ scrapedAtSeconds }) => scrapedAtSeconds);
  const end = Math.max(...scrapes);
  const rangeMs = Math.ceil((end - Math.min(...scrapes)) * 1000);
  const isSteady = before.instances.every((one) =>
    after.instances.some((other) => isSameProcess(one, other)),
  );
  // After a restart, only `increase()` is correct. It is coarse if the native histogram was created in between, because Prometheus
  // stores a zero of schema 0 there, whose buckets have a factor of 2. A range is left-open, hence 1 ms more.
  const grown = (sum: string, series: string) =>
    isSteady
      ? `(${sum}(${series}) - ${sum}(${series} offset ${rangeMs}ms) or ${sum}(${series}))`
      : `${sum}(increase(${series}[${rangeMs + 1}ms]))`;
  const own = `{${ofJob(job)}}`;
  const native = grown('sum', `${metric}${own}`);
  const classic = grown('sum by (le)', `${metric}_bucket${own}`);
  return Promise.all(
    QUANTILES.map(async (quantile) => {
      const query = `histogram_quantile(${quantile}, ${native}) or histogram_quantile(${quantile}, ${classic})`;
      const [sample] = await prometheus.query(query, { signal, atSeconds: end }).catch(() => []);
      return sample !== undefined && Number.isFinite(sample.value) ? sample.value : null;
    }),
  );
}
