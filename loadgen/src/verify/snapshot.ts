/**
 * What Prometheus holds of the API at a moment: raw counter values per process, never `rate()` or `increase()`, which
 * extrapolate. A snapshot is *fresh*: every target was scraped after it was asked for. Only Prometheus' own clock says so;
 * it is never compared with a clock of this machine.
 */
import { UnreachableError } from '../common/errors.ts';
import { isByTarget, type Metrics } from '../common/metrics.ts';
import { sleep } from '../common/wait.ts';
import {
  formatTarget,
  type InstanceSnapshot,
  isSameProcess,
  isWithin,
  type PrometheusReader,
  type Snapshot,
  snapshotQueryOf,
  toProcesses,
} from './process.ts';
import { readTerminated } from './terminated.ts';
import type { Standing } from './verification.ts';

export interface SnapshotOptions {
  readonly job: string;
  readonly metrics: Metrics;
  /** How long to wait for a scrape of every target. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
  /** Of an earlier snapshot that is read again by other metrics; by default now. */
  readonly askedAtSeconds?: number;
  /** Called once, when it has to wait, with what for. */
  readonly onWait?: (reason: string) => void;
  /** The earlier snapshot that this one is to be compared with: processes that have ended since are read as well. */
  readonly beforeOf?: (now: Snapshot) => Snapshot | undefined;
}

const POLL_MS = 100;
/** Where an answer takes longer, as of an API with many series, Prometheus works on it for a fifth of the time at most. */
const PAUSE_FACTOR = 4;
const SETTLE_MS = 20_000;
/** As many scrapes of the slowest target are waited for, however short the wait is meant to be. */
const SCRAPES = 2;
/** An interval that a user notices. */
const NOTABLE_MS = 10_000;
/** Prometheus may date a scrape up to 2 ms early, to keep timestamps regular (scrape.ScrapeTimestampTolerance). */
export const TIMESTAMP_TOLERANCE_SECONDS = 0.01;

/**
 * @throws UnreachableError when the API is not scraped in time, saying which target and why, or Prometheus is away
 * @throws CheckError for a process that cannot be distinguished from a restarted one
 */
export async function readSnapshot(
  prometheus: PrometheusReader,
  options: SnapshotOptions,
): Promise<Snapshot> {
  const askedAtSeconds = options.askedAtSeconds ?? (await prometheus.time(options.signal));
  const since = askedAtSeconds + TIMESTAMP_TOLERANCE_SECONDS;
  const scraping = await readScraping(prometheus, options);
  const waitMs = Math.max(options.waitMs, SCRAPES * scraping.intervalMs);
  let startMs = performance.now();
  for (let latestSeconds: number | undefined; ; ) {
    const polledMs = performance.now();
    const { instances, reason } = await readFresh(prometheus, options, since, scraping);
    if (reason === undefined) {
      const snapshot = { askedAtSeconds, instances };
      const before = options.beforeOf?.(snapshot);
      if (before === undefined) return snapshot;
      const terminated = await readTerminated(prometheus, options, instances, before);
      const fallen = await readFallen(prometheus, options, before);
      return { askedAtSeconds, instances: instances.map((one) => ({ ...one, ...fallen(one) })), terminated };
    }
    const oldestSeconds = Math.min(...instances.map(({ scrapedAtSeconds }) => scrapedAtSeconds));
    if (latestSeconds === undefined) options.onWait?.(`${reason}${scraping.text}`);
    // What is late and still comes is waited for: a store that was away gets everything from then first.
    else if (scraping.isForwarded && oldestSeconds > latestSeconds) startMs = performance.now();
    latestSeconds = oldestSeconds;
    if (performance.now() - startMs > waitMs) {
      const { error } = await readScraping(prometheus, options);
      throw new UnreachableError(
        `Prometheus at ${prometheus.url} got no new scrape of job "${options.job}" within ${waitMs / 1000} s: ${reason}${error}`,
      );
    }
    await sleep(Math.max(POLL_MS, PAUSE_FACTOR * (performance.now() - polledMs)), options.signal);
  }
}

interface Scraping {
  readonly intervalMs: number;
  /** Whether another Prometheus scrapes the targets, and sends on what it stores. */
  readonly isForwarded: boolean;
  /** What to add to what is waited for, and to the error. */
  readonly text: string;
  readonly error: string;
}

/** How often the targets are scraped, and why not. Engines that only take over what others scrape do not know. */
async function readScraping(
  prometheus: PrometheusReader,
  { job, signal }: SnapshotOptions,
): Promise<Scraping> {
  const all = await prometheus.targets(signal).catch(() => []);
  const own = all.filter(({ labels }) => labels.job === job);
  const slowest = own.toSorted((a, b) => toMs(b.scrapeInterval) - toMs(a.scrapeInterval))[0];
  const reason = own.find(({ lastError }) => lastError !== '')?.lastError;
  const intervalMs = toMs(slowest?.scrapeInterval ?? '');
  return {
    intervalMs,
    isForwarded: own.length === 0,
    text: intervalMs >= NOTABLE_MS ? `, scraped every ${slowest?.scrapeInterval}` : '',
    error: reason === undefined ? '' : `: ${reason}`,
  };
}

/** As Prometheus writes durations: `1m30s`. */
function toMs(duration: string): number {
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  const parts = [...duration.matchAll(/(\d+)(ms|s|m|h|d)/g)];
  return parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (units[unit] ?? 0), 0);
}

/**
 * A snapshot after traffic: as {@link readSnapshot}, and again while something is missing that a later scrape can bring. A
 * request that this side has given up may still be worked on there; a replica that has just started is found only when
 * Prometheus asks the DNS again (5 s), has passed that on (5 s) and scrapes it (5 s). Where all is equal, one further scrape of
 * every target must find it so: a service may count late what it counts twice.
 */
export async function readSettledSnapshot(
  prometheus: PrometheusReader,
  options: SnapshotOptions,
  standingOf: (snapshot: Snapshot) => Standing,
): Promise<Snapshot> {
  let startMs: number | undefined;
  let settleMs = SETTLE_MS;
  for (let wasEqual = false; ; ) {
    const snapshot = await readSnapshot(prometheus, options);
    startMs ??= performance.now();
    const standing = standingOf(snapshot);
    if (standing === 'wrong' || (standing === 'equal' && wasEqual)) return snapshot;
    const isOver = standing === 'missing' && performance.now() - startMs >= settleMs;
    if (isOver && settleMs > SETTLE_MS) return snapshot;
    // A slow scrape gets as many chances as a fast one.
    if (isOver)
      settleMs = Math.max(SETTLE_MS + 1, SCRAPES * (await readScraping(prometheus, options)).intervalMs);
    wasEqual = standing === 'equal';
  }
}

/** Which processes restarted in place, where no start time tells: the service's counters fell between two scrapes. */
async function readFallen(
  prometheus: PrometheusReader,
  { job, metrics, signal }: SnapshotOptions,
  before: Snapshot,
): Promise<(instance: InstanceSnapshot) => { hasFallen?: true }> {
  if (!isByTarget(metrics)) return () => ({});
  const now = await prometheus.time(signal);
  const since = Math.min(...before.instances.map(({ scrapedAtSeconds }) => scrapedAtSeconds));
  if (!Number.isFinite(since)) return () => ({});
  // A range is left-open, hence 1 ms more: the scrape of the earlier snapshot is in it.
  const own = `{job=${JSON.stringify(job)}}[${Math.ceil((now - since) * 1000) + 1}ms]`;
  const resets = await Promise.all(
    metrics.counters.map(({ name }) =>
      prometheus.query(`resets(${name}${own}) > 0`, { signal, atSeconds: now }),
    ),
  );
  return ({ labels }) =>
    resets.flat().some((sample) => isWithin(labels, sample.labels)) ? { hasFallen: true } : {};
}

type Reading = Pick<SnapshotOptions, 'job' | 'metrics' | 'signal' | 'waitMs'>;

/** Of a moment that is over: each target as it was last scraped by then. */
export async function readSnapshotAt(
  prometheus: PrometheusReader,
  { job, metrics, signal }: Reading,
  atSeconds: number,
): Promise<Snapshot> {
  const query = snapshotQueryOf(`job=${JSON.stringify(job)}`, metrics);
  const processes = toProcesses(await prometheus.query(query, { signal, atSeconds }), metrics);
  return { askedAtSeconds: atSeconds, instances: processes.map(({ isDrained, ...instance }) => instance) };
}

/** The first of a row of moments by which every target had been scraped after `seconds`. @throws UnreachableError for none in time */
export async function readSnapshotAfter(
  prometheus: PrometheusReader,
  options: Reading,
  seconds: number,
): Promise<Snapshot> {
  const deadline = performance.now() + options.waitMs;
  for (let laterSeconds = 1; ; laterSeconds *= 2) {
    const now = await prometheus.time(options.signal);
    const snapshot = await readSnapshotAt(prometheus, options, Math.min(now, seconds + laterSeconds));
    const { instances } = snapshot;
    if (instances.length > 0 && instances.every(({ scrapedAtSeconds }) => scrapedAtSeconds > seconds))
      return snapshot;
    if (seconds + laterSeconds <= now) continue;
    if (performance.now() > deadline)
      throw new UnreachableError(
        `Prometheus at ${prometheus.url} has not scraped every target of job "${options.job}" after the run`,
      );
    await sleep(POLL_MS, options.signal);
  }
}

/** The sum of a metric over all its series and instances. */
export function sumOf({ instances }: Snapshot, metric: string): number {
  const values = instances.flatMap((instance) => instance.values);
  return values.reduce((sum, sample) => (sample.metric === metric ? sum + (sample.value ?? 0) : sum), 0);
}

/**
 * One snapshot of several that were taken before runs which may overlap: of each instance its earliest scrape. Every run
 * began after its own snapshot, so all that was sent came after these scrapes. An instance that the first snapshot does
 * not know appeared later, and began at 0.
 * @throws RangeError for none
 */
export function earliest(snapshots: readonly Snapshot[]): Snapshot {
  const [first, ...others] = snapshots.toSorted((a, b) => a.askedAtSeconds - b.askedAtSeconds);
  if (first === undefined) throw new RangeError('expected at least one snapshot');
  const instances = first.instances.map((instance) =>
    others
      .flatMap((other) => other.instances.filter((candidate) => isSameProcess(candidate, instance)))
      .reduce((a, b) => (b.scrapedAtSeconds < a.scrapedAtSeconds ? b : a), instance),
  );
  return { ...first, instances };
}

/** With the reason to wait, where a target was not scraped since then, or is down. */
async function readFresh(
  prometheus: PrometheusReader,
  { job, metrics, signal }: SnapshotOptions,
  since: number,
  { isForwarded }: Scraping,
): Promise<{ instances: InstanceSnapshot[]; reason?: string }> {
  const query = snapshotQueryOf(`job=${JSON.stringify(job)}`, metrics, isForwarded);
  const samples = await prometheus.query(query, { signal });
  const ups = samples.filter(({ labels }) => labels.__name__ === 'up');
  if (ups.length === 0) return `it has no target of job "${job}" yet`;
  const down = ups.find(({ value }) => value !== 1);
  if (down !== undefined)
    return { instances: [], reason: `${formatTarget(down.labels)} is down (up = ${down.value})` };
  const instances = toProcesses(samples, metrics).map(({ isDrained, ...instance }) => instance);
  const stale = instances.find(({ scrapedAtSeconds }) => !(scrapedAtSeconds > since));
  return { instances, ...(stale && { reason: `the next scrape of ${formatTarget(stale.labels)}` }) };
}
