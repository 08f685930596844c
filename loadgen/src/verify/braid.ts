/**
 * Detects several processes that respond to the scrapes of one target in turn, like the workers of a server that share a port.
 * Counters of such a target prove nothing. The signs are a start time that reappears, and a counter that dropped in the meantime.
 */
import { START_TIME } from '../common/metrics.ts';
import { formatTarget, isWithin, ofJob, type Source } from './process.ts';
import type { Samples } from './prometheus.ts';

const WINDOW = '300s';

/** @returns an obstacle for each such target. A target is not detected if all scrapes happen to reach the same process. */
export async function findBraids({ prometheus, job, signal }: Source): Promise<string[]> {
  const own = `{${ofJob(job)}}[${WINDOW}]`;
  const starts = await prometheus.samples(`${START_TIME}${own}`, { signal });
  const braided = starts.filter(comesBack);
  if (braided.length === 0) return [];
  const falls = await prometheus.query(`resets(process_cpu_seconds_total${own}) > 0`, { signal });
  return braided
    .map(({ labels: { __name__, ...labels } }) => labels)
    .filter((labels) => falls.some((sample) => isWithin(labels, sample.labels)))
    .map(
      (labels) =>
        `several processes answer the scrapes of ${formatTarget(labels)} in turn: each needs its own target, or their metrics must be aggregated`,
    );
}

/** Whether a value reappears after a different one. */
function comesBack({ points }: Samples): boolean {
  const seen = new Set<number>();
  return points.some(({ value }, n) => {
    const isNew = value !== points[n - 1]?.value;
    const isBack = isNew && seen.has(value);
    seen.add(value);
    return isBack;
  });
}
