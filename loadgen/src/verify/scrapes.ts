/**
 * Detects whether a service counts its own scrapes. A surplus that equals the number of scrapes may be a coincidence, so it must also
 * grow with them while nothing is sent.
 */

import type { ExpectedCounts } from '../common/expected-counts.ts';
import type { Metrics } from '../common/metrics.ts';
import { sumOf } from '../common/sums.ts';
import { formatNumber } from '../common/units.ts';
import { isWithin, ofJob, type Snapshot } from './process.ts';
import { counterOf, type VerificationRow } from './rows.ts';
import { formatSeries } from './series.ts';
import { readSnapshot, type SnapshotOptions, TIMESTAMP_TOLERANCE_SECONDS } from './snapshot.ts';
import { verify } from './verification.ts';

/** After this many scrapes, a coincidence is ruled out. */
const ENOUGH = 3;
/** The longest time for which raw samples are queried. */
const MOST_SECONDS = 3_600;

/** @returns a note for each row whose surplus equals the number of scrapes */
export async function findScrapes(
  options: SnapshotOptions,
  before: Snapshot,
  after: Snapshot,
  expected: ExpectedCounts,
): Promise<string[]> {
  const { metrics } = options;
  let now = after;
  for (let isSilent = false; ; isSilent = true) {
    const surplus = findSurplus(verify(before, now, expected, metrics).rows, metrics);
    const scrapes = surplus.length === 0 ? undefined : await countScrapes(options, before, now);
    const same = surplus.filter(({ difference }) => difference === scrapes);
    if (scrapes === undefined || same.length === 0) return [];
    if (isSilent && scrapes >= ENOUGH)
      return same.map(
        (row) =>
          `${formatSeries(row)}: the service seems to count its own scrapes (${formatNumber(scrapes)} in that time)`,
      );
    now = await readSnapshot({ ...options, beforeOf: () => before });
  }
}

function findSurplus(rows: readonly VerificationRow[], metrics: Metrics): VerificationRow[] {
  return rows.filter((row) => row.difference > 0 && counterOf(row, metrics) !== undefined);
}

/** The number of scrapes between two snapshots. A scrape is counted when it ends, so only the next one shows it. */
async function countScrapes(
  { prometheus, job, signal }: SnapshotOptions,
  before: Snapshot,
  { instances }: Snapshot,
): Promise<number | undefined> {
  const times = [...before.instances, ...instances].map(({ scrapedAtSeconds }) => scrapedAtSeconds);
  const seconds = Math.ceil(Math.max(...times) - Math.min(...times)) + 1;
  if (!(seconds <= MOST_SECONDS)) return undefined;
  const query = `up{${ofJob(job)}}[${seconds}s]`;
  const ups = await prometheus.samples(query, { signal, atSeconds: Math.max(...times) });
  const counts = ups.map(({ labels, points }) => {
    const { scrapedAtSeconds: since = Number.NaN } =
      before.instances.find((one) => isWithin(one.labels, labels)) ?? {};
    return points.filter(({ atSeconds }) => atSeconds > since + TIMESTAMP_TOLERANCE_SECONDS).length;
  });
  return sumOf(counts, Number);
}
