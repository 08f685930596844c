/**
 * The second half of the proof: what Prometheus tells of the latency of a run against what the generator has measured. The
 * two cannot be equal: the server's clock stops where its own work ends, the generator's where the answer has arrived, and a
 * histogram knows a duration up to the width of its bucket. How far apart that may put them is computed, with nothing assumed of
 * the network:
 *
 * - The server's k-th shortest duration lies in a bucket that its histogram says.
 * - Requests took n times m longer on the way than the server knows, m the difference of the means. So no more than j of the n can
 *   have lost n m / (j + 1) or more there, and the generator's k-th shortest time is at most that much later than the server's
 *   (k + j)-th. The bound is the lowest over all j.
 * - A busy machine may tell the server of an answer's end after it has arrived. By how much is taken from how late the generator
 *   itself was at its own timers: all but j of its n times are at most the j-th largest lateness earlier than the server's.
 *
 * A closed loop has no timers to be late at, so it is not judged.
 */
import { decodeHistogram, type Histogram, sumHistograms } from '../load/histogram.ts';
import type { Bucket, DurationReading, Durations } from '../proof/durations.ts';
import type { Latency, LatencyRow } from './latency-schema.ts';
import type { PhaseReport } from './report.ts';

/** How much of its value the lower end of an HDR bucket may lie below it, at the two digits that lines by target have. */
const MEASURED_WIDTH = 1 / 128;

const QUANTILES = [0.5, 0.9, 0.99] as const;

export function compareLatency(phases: readonly PhaseReport[], reading: DurationReading): Latency {
  const lateness = sumHistograms(
    phases.map(({ histograms }) => histograms.lateness),
    3,
  );
  const isJudged = phases.every(({ plan }) => plan.schedule !== 'closed');
  const notes: string[] = [];
  const rows = measuredOf(phases).flatMap(({ path, method, serviceTime, unanswered }) => {
    const name = `${method} ${path}`;
    const durations = reading.series.find((one) => one.path === path && one.method === method);
    if (unanswered > 0)
      notes.push(`${name}: ${unanswered} without an answer, so the server may have timed others`);
    else if (durations?.count !== serviceTime.totalCount)
      notes.push(
        `${name}: timed ${durations?.count ?? 0} times where ${serviceTime.totalCount} were answered`,
      );
    else
      return QUANTILES.map((quantile) =>
        compare(quantile, durations, serviceTime, isJudged ? lateness : undefined),
      );
    return [];
  });
  return { kind: reading.kind, rows: reading.kind === 'native' ? rows : rows.map(withoutValue), notes };
}

/** A classic bucket is too wide for a value in it to mean anything. */
function withoutValue(row: LatencyRow): LatencyRow {
  return { ...row, prometheusMs: null };
}

interface Measured {
  readonly path: string;
  readonly method: string;
  readonly serviceTime: Histogram;
  readonly unanswered: number;
}

/** The lines of all phases by what the API counts them as; those that declare nothing cannot be compared. */
function measuredOf(phases: readonly PhaseReport[]): Measured[] {
  const lines = phases.flatMap(({ byTarget }) => byTarget);
  const bySeries = Map.groupBy(lines, ({ series }) => JSON.stringify([series?.path, series?.method]));
  return [...bySeries.values()].flatMap((same) => {
    const series = same[0]?.series;
    const answered = same.filter((line) => line.answered > 0);
    if (!series || answered.length === 0) return [];
    const serviceTime = decodeHistogram(answered[0]?.serviceTime ?? '');
    for (const line of answered.slice(1)) serviceTime.add(decodeHistogram(line.serviceTime));
    return [{ ...series, serviceTime, unanswered: same.reduce((sum, line) => sum + line.unanswered, 0) }];
  });
}

const toMs = (seconds: number) => seconds * 1000;
/** JSON knows no infinity. */
const finite = (ms: number) => (Number.isFinite(ms) ? ms : null);

/** @param lateness of the generator; undefined where the row is not judged */
function compare(
  quantile: number,
  durations: Durations,
  serviceTime: Histogram,
  lateness: Histogram | undefined,
): LatencyRow {
  const { path, method, buckets, count } = durations;
  // As HDR histograms count ranks.
  const rank = Math.max(1, Math.floor(quantile * count + 0.5));
  const highest = serviceTime.getValueAtPercentile(quantile * 100);
  const measuredMs = highest / 1000;
  const bucket = bucketAt(buckets, rank);
  const [fromMs, untilMs] = explain(durations, rank, lostMs(durations, serviceTime, lateness), lateness);
  const isWithin = measuredMs >= fromMs && measuredMs * (1 - MEASURED_WIDTH) <= untilMs;
  return {
    path,
    method,
    quantile,
    measuredMs,
    prometheusMs: toMs(interpolate(buckets, quantile * count)),
    bucketMs: [toMs(bucket.from), finite(toMs(bucket.to))],
    explainedMs: [fromMs, finite(untilMs)],
    ok: lateness === undefined ? null : isWithin,
  };
}

/** How much longer all requests together took for the generator than for the server, where none took less. */
function lostMs({ sumSeconds, count }: Durations, serviceTime: Histogram, lateness?: Histogram): number {
  const meanMs = serviceTime.mean / 1000 - toMs(sumSeconds) / count;
  return count * (Math.max(meanMs, 0) + (lateness?.mean ?? 0) / 1000);
}

/** The bounds of the generator's time of this rank; see the top of this file. */
function explain(
  { buckets, count }: Durations,
  rank: number,
  lost: number,
  lateness: Histogram | undefined,
): [fromMs: number, untilMs: number] {
  let fromMs = 0;
  let untilMs = Number.POSITIVE_INFINITY;
  for (const late of steps(count)) {
    // All but `late` of the requests were late by less than this.
    const latenessMs = (lateness?.getValueAtPercentile(100 * (1 - late / count)) ?? 0) / 1000;
    if (rank + late <= count)
      untilMs = Math.min(untilMs, toMs(bucketAt(buckets, rank + late).to) + lost / (late + 1));
    if (rank - late >= 1) fromMs = Math.max(fromMs, toMs(bucketAt(buckets, rank - late).from) - latenessMs);
  }
  return [fromMs, untilMs];
}

/** 0, and then ever larger steps up to `count`: a bound that is the lowest of these is hardly above the lowest of all. */
function* steps(count: number): Generator<number> {
  for (let step = 0; step < count; step = Math.max(step + 1, Math.floor(step * 1.1))) yield step;
}

/** @throws RangeError for more than there are */
function bucketAt(buckets: readonly Bucket[], rank: number): Bucket {
  let seen = 0;
  for (const bucket of buckets) {
    seen += bucket.count;
    if (seen >= rank) return bucket;
  }
  throw new RangeError(`no rank ${rank} among ${seen}`);
}

/** As `histogram_quantile` does for native histograms: exponentially within a bucket, evenly within the one around 0. */
function interpolate(buckets: readonly Bucket[], rank: number): number {
  let seen = 0;
  for (const { from, to, count } of buckets) {
    if (seen + count >= rank) {
      const share = (rank - seen) / count;
      return from > 0 ? from * (to / from) ** share : to * share;
    }
    seen += count;
  }
  return buckets.at(-1)?.to ?? Number.NaN;
}
