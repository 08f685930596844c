/**
 * The API's counters in Prometheus at one time: raw values per process, never `rate()` or `increase()`, which extrapolate. A
 * snapshot is *fresh* if every target was scraped after the snapshot was requested. Only Prometheus' clock decides this, and it is
 * never compared with a clock of this machine.
 */
import { UnreachableError } from '../common/errors.ts';
import { isByTarget, type Metrics } from '../common/metrics.ts';
import { sumOf } from '../common/sums.ts';
import { sleep } from '../common/wait.ts';
import {
  formatTarget,
  type InstanceSnapshot,
  isSameProcess,
  isWithin,
  ofJob,
  type Snapshot,
  type Source,
  snapshotQueryOf,
  toProcesses,
} from './process.ts';
import { readTerminated } from './terminated.ts';
import type { Standing } from './verification.ts';

export interface SnapshotOptions extends Source {
  readonly metrics: Metrics;
  /** How long to wait for a scrape of every target. */
  readonly waitMs: number;
  /** The time of an earlier snapshot that is read again with other metrics. Default: the current time. */
  readonly askedAtSeconds?: number;
  /** Called with the reason if a wait is necessary, once. */
  readonly onWait?: (reason: string) => void;
  /** The earlier snapshot to compare with. Processes that ended since then are read as well. */
  readonly beforeOf?: (now: Snapshot) => Snapshot | undefined;
}

const POLL_MS = 100;
/** If queries take long, because the API has many series, Prometheus spends at most a fifth of the time on them. */
const PAUSE_FACTOR = 4;
const SETTLE_MS = 20_000;
/** Waits for this many scrapes of the slowest target, even if `waitMs` is shorter. */
const SCRAPES = 2;
/** A scrape interval at which users notice the wait. */
const NOTABLE_MS = 10_000;
/** Prometheus may set timestamps up to 2 ms early, to keep them regular (scrape.ScrapeTimestampTolerance). */
export const TIMESTAMP_TOLERANCE_SECONDS = 0.01;

/**
 * @throws UnreachableError if the API is not scraped in time, with the target and the reason, or Prometheus is unreachable
 * @throws CheckError if a restart of a process could not be detected
 */
export async function readSnapshot(options: SnapshotOptions): Promise<Snapshot> {
  const { prometheus } = options;
  const askedAtSeconds = options.askedAtSeconds ?? (await prometheus.time(options.signal));
  const since = askedAtSeconds + TIMESTAMP_TOLERANCE_SECONDS;
  const scraping = await readScraping(options);
  const waitMs = Math.max(options.waitMs, SCRAPES * scraping.intervalMs);
  let startMs = performance.now();
  for (let latestSeconds: number | undefined; ; ) {
    const polledMs = performance.now();
    const { instances, reason } = await readFresh(options, since, scraping);
    if (reason === undefined) {
      const snapshot = { askedAtSeconds, instances };
      const before = options.beforeOf?.(snapshot);
      if (before === undefined) return snapshot;
      const terminated = await readTerminated(options, instances, before);
      const fallen = await readFallen(options, before);
      return { askedAtSeconds, instances: instances.map((one) => ({ ...one, ...fallen(one) })), terminated };
    }
    const oldestSeconds = Math.min(...instances.map(({ scrapedAtSeconds }) => scrapedAtSeconds));
    if (latestSeconds === undefined) options.onWait?.(`${reason}${scraping.text}`);
    // Keeps waiting while older samples still arrive: a store that was down first receives its backlog.
    else if (scraping.isForwarded && oldestSeconds > latestSeconds) startMs = performance.now();
    latestSeconds = oldestSeconds;
    if (performance.now() - startMs > waitMs) {
      const { error } = await readScraping(options);
      throw new UnreachableError(
        `Prometheus at ${prometheus.url} got no new scrape of job "${options.job}" within ${waitMs / 1000} s: ${reason}${error}`,
      );
    }
    await sleep(Math.max(POLL_MS, PAUSE_FACTOR * (performance.now() - polledMs)), options.signal);
  }
}

interface Scraping {
  readonly intervalMs: number;
  /** Whether another Prometheus scrapes the targets and forwards its samples. */
  readonly isForwarded: boolean;
  /** Appended to the reason for waiting, and to the error. */
  readonly text: string;
  readonly error: string;
}

/** The scrape interval of the targets, and their errors. Engines that only receive data from other scrapers know neither. */
async function readScraping({ prometheus, job, signal }: Source): Promise<Scraping> {
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

/** Parses Prometheus' notation of durations: `1m30s`. */
function toMs(duration: string): number {
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  const parts = [...duration.matchAll(/(\d+)(ms|s|m|h|d)/g)];
  return parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (units[unit] ?? 0), 0);
}

/**
 * A snapshot after traffic: like {@link readSnapshot}, but repeated while counts are missing that a later scrape may contain. The
 * service may still be working on a request that the client has given up. A replica that has just started is found only when
 * Prometheus queries the DNS again (5 s), has passed on the result (5 s) and scrapes the replica (5 s). If everything matches,
 * another scrape of every target must confirm the match, because a service that counts twice may count the second time late.
 */
export async function readSettledSnapshot(
  options: SnapshotOptions,
  standingOf: (snapshot: Snapshot) => Standing,
): Promise<Snapshot> {
  let startMs: number | undefined;
  let settleMs = SETTLE_MS;
  for (let wasEqual = false; ; ) {
    const snapshot = await readSnapshot(options);
    startMs ??= performance.now();
    const standing = standingOf(snapshot);
    if (standing === 'wrong' || (standing === 'equal' && wasEqual)) return snapshot;
    const isOver = standing === 'missing' && performance.now() - startMs >= settleMs;
    if (isOver && settleMs > SETTLE_MS) return snapshot;
    // A slow scrape must get as many chances as a fast one.
    if (isOver) settleMs = Math.max(SETTLE_MS + 1, SCRAPES * (await readScraping(options)).intervalMs);
    wasEqual = standing === 'equal';
  }
}

/** Detects processes that restarted in place, if there is no start time: a counter dropped between two scrapes. */
async function readFallen(
  { prometheus, job, metrics, signal }: SnapshotOptions,
  before: Snapshot,
): Promise<(instance: InstanceSnapshot) => { hasFallen?: true }> {
  if (!isByTarget(metrics)) return () => ({});
  const now = await prometheus.time(signal);
  const since = Math.min(...before.instances.map(({ scrapedAtSeconds }) => scrapedAtSeconds));
  if (!Number.isFinite(since)) return () => ({});
  // A range is left-open, hence 1 ms more to include the scrape of the earlier snapshot.
  const own = `{${ofJob(job)}}[${Math.ceil((now - since) * 1000) + 1}ms]`;
  const resets = await Promise.all(
    metrics.counters.map(({ name }) =>
      prometheus.query(`resets(${name}${own}) > 0`, { signal, atSeconds: now }),
    ),
  );
  return ({ labels }) =>
    resets.flat().some((sample) => isWithin(labels, sample.labels)) ? { hasFallen: true } : {};
}

/** A snapshot of the past: the last scrape of each target before that time. */
export async function readSnapshotAt(
  { prometheus, job, metrics, signal }: SnapshotOptions,
  atSeconds: number,
): Promise<Snapshot> {
  const query = snapshotQueryOf(ofJob(job), metrics);
  const processes = toProcesses(await prometheus.query(query, { signal, atSeconds }), metrics);
  return { askedAtSeconds: atSeconds, instances: processes.map(({ isDrained, ...instance }) => instance) };
}

/** A snapshot in which every target was scraped after `seconds`. @throws UnreachableError if there is none in time */
export async function readSnapshotAfter(options: SnapshotOptions, seconds: number): Promise<Snapshot> {
  const { prometheus } = options;
  const deadline = performance.now() + options.waitMs;
  for (let laterSeconds = 1; ; laterSeconds *= 2) {
    const now = await prometheus.time(options.signal);
    const snapshot = await readSnapshotAt(options, Math.min(now, seconds + laterSeconds));
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

export function sumOfMetric({ instances }: Snapshot, metric: string): number {
  const values = instances.flatMap((instance) => instance.values);
  return sumOf(values, (sample) => (sample.metric === metric ? (sample.value ?? 0) : 0));
}

/**
 * Merges snapshots that were taken before runs which may overlap, using the earliest scrape of each instance. Every run started
 * after its snapshot, so all requests came after these scrapes. An instance that is not in the first snapshot appeared later, and
 * started at 0.
 * @throws RangeError if there are no snapshots
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

/** @returns the instances, and the reason for waiting if a target is down or has not been scraped since then */
async function readFresh(
  { prometheus, job, metrics, signal }: SnapshotOptions,
  since: number,
  { isForwarded }: Scraping,
): Promise<{ instances: InstanceSnapshot[]; reason?: string }> {
  const query = snapshotQueryOf(ofJob(job), metrics, isForwarded);
  const samples = await prometheus.query(query, { signal });
  const ups = samples.filter(({ labels }) => labels.__name__ === 'up');
  if (ups.length === 0) return { instances: [], reason: `it has no target of job "${job}" yet` };
  const down = ups.find(({ value }) => value !== 1);
  if (down !== undefined)
    return { instances: [], reason: `${formatTarget(down.labels)} is down (up = ${down.value})` };
  const instances = toProcesses(samples, metrics).map(({ isDrained, ...instance }) => instance);
  const stale = instances.find(({ scrapedAtSeconds }) => !(scrapedAtSeconds > since));
  return { instances, ...(stale && { reason: `the next scrape of ${formatTarget(stale.labels)}` }) };
}
