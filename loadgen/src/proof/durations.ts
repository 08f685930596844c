/**
 * The durations that Prometheus holds of a run: of each series the raw buckets of the scrape after it, less those of the scrape
 * before it. Nothing is extrapolated. From the native histogram where there is one, else from the classic buckets.
 */

import type { InstanceReading, Reading } from './process.ts';
import type { Histogram, Prometheus, Sample } from './prometheus.ts';

/** Requests whose duration was above `from` and at most `to`, in seconds. */
export interface Bucket {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** Of one path and method, whatever the code; all instances together. */
export interface Durations {
  readonly path: string;
  readonly method: string;
  /** Ascending, without empty ones. */
  readonly buckets: readonly Bucket[];
  readonly count: number;
  readonly sumSeconds: number;
}

export interface DurationReading {
  readonly kind: 'native' | 'classic';
  readonly series: readonly Durations[];
}

const METRIC = 'http_request_duration_seconds';

export type HistogramReader = Pick<Prometheus, 'query' | 'queryHistograms'>;

/** @returns undefined where Prometheus has no such histogram; @throws UnreachableError as {@link Prometheus.query} */
export async function readDurations(
  prometheus: HistogramReader,
  before: Reading,
  after: Reading,
  job: string,
  signal: AbortSignal,
): Promise<DurationReading | undefined> {
  // At the very scrapes that the readings are of, each process at its own: one that has ended at its last.
  const selectors = (reading: Reading, metric: string) =>
    [...reading.instances, ...(reading.gone ?? [])].map(
      ({ instance, scrapedAtSeconds }: InstanceReading) =>
        `${metric}{job=${JSON.stringify(job)},instance=${JSON.stringify(instance)}} @ ${scrapedAtSeconds}`,
    );
  const natives = async (reading: Reading) =>
    (
      await Promise.all(selectors(reading, METRIC).map((one) => prometheus.queryHistograms(one, signal)))
    ).flat();
  const native = subtract(
    toCounts(await natives(after), addNative),
    toCounts(await natives(before), addNative),
  );
  if (native.length > 0) return { kind: 'native', series: native };
  const classics = async (reading: Reading) => {
    const names = `{__name__=~"${METRIC}_(bucket|sum|count)",`;
    const all = selectors(reading, '').map((one) => prometheus.query(one.replace('{', names), signal));
    return (await Promise.all(all)).flat();
  };
  const classic = subtract(
    toCounts(await classics(after), addClassic),
    toCounts(await classics(before), addClassic),
  );
  return classic.length > 0 ? { kind: 'classic', series: classic } : undefined;
}

/** What is added up of one path and method. */
interface Counts {
  readonly path: string;
  readonly method: string;
  /** By upper bound. */
  readonly buckets: Map<number, Bucket>;
  count: number;
  sumSeconds: number;
}

type Labelled = { readonly labels: Readonly<Record<string, string>> };

function toCounts<T extends Labelled>(samples: readonly T[], add: (into: Counts, sample: T) => void) {
  const all = new Map<string, Counts>();
  for (const sample of samples) {
    const { path, method } = sample.labels;
    if (path === undefined || method === undefined) continue;
    const key = JSON.stringify([path, method]);
    const counts = all.get(key) ?? { path, method, buckets: new Map(), count: 0, sumSeconds: 0 };
    all.set(key, counts);
    add(counts, sample);
  }
  return all;
}

function addNative(into: Counts, { histogram }: { readonly histogram: Histogram } & Labelled): void {
  into.count += histogram.count;
  into.sumSeconds += histogram.sum;
  for (const [from, to, count] of histogram.buckets) addBucket(into, { from: Math.max(from, 0), to, count });
}

/** Cumulated counts, of which {@link subtract} takes the differences. */
function addClassic(into: Counts, { labels, value }: Sample): void {
  const { __name__: name, le } = labels;
  if (name === `${METRIC}_count`) into.count += value;
  else if (name === `${METRIC}_sum`) into.sumSeconds += value;
  else if (name === `${METRIC}_bucket` && le !== undefined)
    addBucket(into, {
      from: Number.NaN,
      to: le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le),
      count: value,
    });
}

function addBucket({ buckets }: Counts, bucket: Bucket): void {
  buckets.set(bucket.to, { ...bucket, count: (buckets.get(bucket.to)?.count ?? 0) + bucket.count });
}

function subtract(after: ReadonlyMap<string, Counts>, before: ReadonlyMap<string, Counts>): Durations[] {
  return [...after].flatMap(([key, { path, method, buckets, count, sumSeconds }]) => {
    const earlier = before.get(key);
    const own = toBuckets(buckets);
    const grown = earlier === undefined ? own : less(own, toBuckets(earlier.buckets));
    const difference = {
      count: count - (earlier?.count ?? 0),
      sumSeconds: sumSeconds - (earlier?.sumSeconds ?? 0),
    };
    return difference.count > 0 && own.length > 0 ? [{ path, method, buckets: grown, ...difference }] : [];
  });
}

/** Ascending, each with its own count; of classic buckets the lower end is the bound before. */
function toBuckets(buckets: ReadonlyMap<number, Bucket>): Bucket[] {
  const ascending = [...buckets.values()].sort((a, b) => a.to - b.to);
  return ascending.map((bucket, i) => {
    if (!Number.isNaN(bucket.from)) return bucket;
    const { to = 0, count = 0 } = ascending[i - 1] ?? {};
    return { from: to, to: bucket.to, count: bucket.count - count };
  });
}

/** A series whose buckets have become wider in between has bounds that all were bounds before: the narrow ones lie within. */
function less(after: readonly Bucket[], before: readonly Bucket[]): Bucket[] {
  return after
    .map((bucket) => {
      const within = before.filter(({ from, to }) => from >= bucket.from && to <= bucket.to);
      return { ...bucket, count: bucket.count - within.reduce((sum, { count }) => sum + count, 0) };
    })
    .filter(({ count }) => count > 0);
}
