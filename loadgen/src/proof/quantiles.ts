/**
 * The quantiles of durations between two readings, as Prometheus' own histogram gives them: for a person to look at. It lies
 * within its bucket, and `increase()` extrapolates, so nothing is judged by it.
 */
import type { PrometheusReader, Reading } from './process.ts';
import { DURATIONS } from './series.ts';

export const QUANTILES = [0.5, 0.9, 0.99] as const;

/** In seconds; null for each that Prometheus does not give, for whatever reason. */
export function readQuantiles(
  prometheus: Pick<PrometheusReader, 'query'>,
  before: Reading,
  after: Reading,
  job: string,
  signal: AbortSignal,
): Promise<(number | null)[]> {
  const scrapes = [...before.instances, ...after.instances].map(({ scrapedAtSeconds }) => scrapedAtSeconds);
  const end = Math.max(...scrapes);
  // A range leaves out its first moment, which has the state before the run.
  const range = `[${Math.ceil(end - Math.min(...scrapes)) + 1}s]`;
  const own = `{job=${JSON.stringify(job)}}`;
  const metric = DURATIONS.replace(/_count$/, '');
  const native = `sum(increase(${metric}${own}${range}))`;
  const classic = `sum by (le) (increase(${metric}_bucket${own}${range}))`;
  return Promise.all(
    QUANTILES.map(async (quantile) => {
      const query = `histogram_quantile(${quantile}, ${native}) or histogram_quantile(${quantile}, ${classic})`;
      const [sample] = await prometheus.query(query, signal, end).catch(() => []);
      return sample !== undefined && Number.isFinite(sample.value) ? sample.value : null;
    }),
  );
}
