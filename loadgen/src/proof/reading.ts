/**
 * What Prometheus holds of the API at a moment: raw counter values per instance, never `rate()` or `increase()`, which
 * extrapolate. A reading is *fresh*: every target was scraped after it was asked for. Only Prometheus' own clock says so;
 * it is never compared with a clock of this machine.
 */
import { UnreachableError } from '../common/errors.ts';
import { sleep } from '../common/wait.ts';
import { readGone } from './gone.ts';
import {
  type InstanceReading,
  isSameProcess,
  type PrometheusReader,
  type Reading,
  START_TIME,
  selectorOf,
  toValues,
} from './process.ts';

export interface ReadingOptions {
  readonly job: string;
  /** How long to wait for a scrape of every target. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
  /** Told once, when it has to wait, what for. */
  readonly onWait?: (reason: string) => void;
  /** The earlier reading that this one is to be compared with: processes that have ended since are read as well. */
  readonly beforeOf?: (now: Reading) => Reading | undefined;
}

const POLL_MS = 100;
const SETTLE_MS = 20_000;
/** Prometheus may date a scrape up to 2 ms early, to keep timestamps regular (scrape.ScrapeTimestampTolerance). */
const TIMESTAMP_TOLERANCE_SECONDS = 0.01;

/** @throws UnreachableError when the API is not scraped in time, saying which instance and why, or Prometheus is away */
export async function takeReading(prometheus: PrometheusReader, options: ReadingOptions): Promise<Reading> {
  const askedAtSeconds = await prometheus.time(options.signal);
  const since = askedAtSeconds + TIMESTAMP_TOLERANCE_SECONDS;
  const deadline = performance.now() + options.waitMs;
  for (let told = false; ; told = true) {
    const missing = await whyNotFresh(prometheus, options, since);
    if (missing === undefined) break;
    if (performance.now() > deadline) {
      throw new UnreachableError(
        `Prometheus at ${prometheus.url} got no new scrape of the API within ${options.waitMs / 1000} s: ${missing}`,
      );
    }
    if (!told) options.onWait?.(missing);
    await sleep(POLL_MS, options.signal);
  }
  const reading = { askedAtSeconds, instances: await readInstances(prometheus, options) };
  const before = options.beforeOf?.(reading);
  if (before === undefined) return reading;
  const { job, signal } = options;
  return { ...reading, gone: await readGone(prometheus, job, reading.instances, before, signal) };
}

/**
 * A reading after traffic: as {@link takeReading}, and again while something is missing that a later scrape can bring. A
 * request that this side has given up may still be worked on there; a replica that has just started is found only when
 * Prometheus asks the DNS again (5 s), has passed that on (5 s) and scrapes it (5 s).
 */
export async function takeSettledReading(
  prometheus: PrometheusReader,
  options: ReadingOptions,
  isMissing: (reading: Reading) => boolean,
): Promise<Reading> {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const reading = await takeReading(prometheus, options);
    if (performance.now() >= deadline || !isMissing(reading)) return reading;
  }
}

/** The sum of a metric over all its series and instances. */
export function sumOf({ instances }: Reading, metric: string): number {
  const values = instances.flatMap((instance) => instance.values);
  return values.reduce((sum, sample) => (sample.metric === metric ? sum + sample.value : sum), 0);
}

/**
 * One reading of several that were taken before runs which may overlap: of each instance its earliest scrape. Every run
 * began after its own reading, so all that was sent came after these scrapes. An instance that the first reading does
 * not know appeared later, and began at 0.
 * @throws RangeError for none
 */
export function earliest(readings: readonly Reading[]): Reading {
  const [first, ...others] = readings.toSorted((a, b) => a.askedAtSeconds - b.askedAtSeconds);
  if (first === undefined) throw new RangeError('no earliest of no readings');
  const instances = first.instances.map((instance) =>
    others
      .flatMap((other) => other.instances.filter((candidate) => isSameProcess(candidate, instance)))
      .reduce((a, b) => (b.scrapedAtSeconds < a.scrapedAtSeconds ? b : a), instance),
  );
  return { ...first, instances };
}

async function whyNotFresh(
  prometheus: PrometheusReader,
  options: ReadingOptions,
  since: number,
): Promise<string | undefined> {
  const selector = `up{job=${JSON.stringify(options.job)}}`;
  const [up, scraped] = await Promise.all([
    prometheus.query(selector, options.signal),
    prometheus.query(`timestamp(${selector})`, options.signal),
  ]);
  if (up.length === 0) return `it knows no target of job "${options.job}" yet`;
  const down = up.find((sample) => sample.value !== 1);
  if (down !== undefined) return `${down.labels.instance} is down (up = ${down.value})`;
  const stale = scraped.find((sample) => sample.value <= since);
  return stale === undefined ? undefined : `the next scrape of ${stale.labels.instance}`;
}

/** One query, hence one moment: Prometheus shows a scrape as a whole or not at all. */
async function readInstances(
  prometheus: PrometheusReader,
  { job, signal }: ReadingOptions,
): Promise<InstanceReading[]> {
  const own = `job=${JSON.stringify(job)}`;
  const [samples, scraped] = await Promise.all([
    prometheus.query(selectorOf(own), signal),
    prometheus.query(`timestamp(up{${own}})`, signal),
  ]);
  const byInstance = Map.groupBy(samples, (sample) => sample.labels.instance ?? '');
  return [...byInstance].map(([instance, all]) => {
    const startTimeSeconds = all.find((sample) => sample.labels.__name__ === START_TIME)?.value;
    if (startTimeSeconds === undefined) {
      throw new UnreachableError(
        `${instance} of job "${job}" in Prometheus has no ${START_TIME}: it cannot be told from a restarted one`,
      );
    }
    const scrapedAtSeconds = scraped.find((sample) => sample.labels.instance === instance)?.value ?? 0;
    return { instance, startTimeSeconds, scrapedAtSeconds, values: toValues(all) };
  });
}
