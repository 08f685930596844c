/**
 * Terminated processes of the API, with the values of their last scrape. A process that was drained before its last scrape has lost
 * no counts. For any other process, the requests that it counted after its last scrape are lost.
 */

import { isByTarget, type Metrics } from '../common/metrics.ts';
import {
  type InstanceSnapshot,
  isSameProcess,
  isSameTarget,
  ofJob,
  presenceOf,
  type Snapshot,
  type Source,
  START_JITTER_SECONDS,
  snapshotQueryOf,
  type TerminatedProcess,
  toProcesses,
} from './process.ts';
import type { Labels, Samples } from './prometheus.ts';

interface Process {
  readonly labels: Labels;
  readonly startTimeSeconds: number | null;
  /** On Prometheus' clock. */
  lastScrapeSeconds: number;
}

/**
 * @param present the processes that still exist
 * @param before an earlier snapshot
 * @returns the processes of `before`, and those that appeared after it, that are not in `present`
 */
export async function readTerminated(
  { metrics, ...source }: Source & { readonly metrics: Metrics },
  present: readonly InstanceSnapshot[],
  before: Snapshot,
): Promise<TerminatedProcess[]> {
  const { prometheus, signal } = source;
  const starts = await readStarts(source, presenceOf(metrics), before.askedAtSeconds - MARGIN_SECONDS);
  const isSame: typeof isSameProcess = isByTarget(metrics)
    ? (a, b) => isSameTarget(a.labels, b.labels)
    : isSameProcess;
  // A process that ended while `before` was taken is in neither snapshot, because it counted everything before the run.
  const readAtSeconds = Math.max(...before.instances.map(({ scrapedAtSeconds }) => scrapedAtSeconds));
  const isOf = (instances: readonly InstanceSnapshot[], process: Process) =>
    instances.some((other) => isSame(other, process));
  const terminated = processesOf(starts, metrics)
    .filter((process) => !isOf(present, process))
    .filter((process) => isOf(before.instances, process) || process.lastScrapeSeconds > readAtSeconds);
  const last = await Promise.all(
    terminated.map(async (process) => {
      const atSeconds = process.lastScrapeSeconds;
      const query = snapshotQueryOf(matchersOf(process.labels), metrics);
      const samples = await prometheus.query(query, { signal, atSeconds });
      return toProcesses(samples, metrics).filter((one) => isSame(one, process));
    }),
  );
  return last.flat();
}

/** Prometheus may set timestamps a little early. */
const MARGIN_SECONDS = 1;
/** The longest time for which raw samples are queried directly: 720 per target, with one every 5 s. */
const RAW_SECONDS = 3_600;
/** A longer time is divided into this many parts. Raw samples are queried only for the parts in which a process starts or ends. */
const PARTS = 200;

/** The samples of the start times, or of `up`, since a time: at least the last sample of each terminated process. */
async function readStarts(
  { prometheus, job, signal }: Source,
  presence: string,
  sinceSeconds: number,
): Promise<Samples[]> {
  const selector = `${presence}{${ofJob(job)}}`;
  const now = await prometheus.time(signal);
  const seconds = Math.max(1, Math.ceil(now - sinceSeconds));
  if (seconds <= RAW_SECONDS) return prometheus.samples(`${selector}[${seconds}s]`, { signal });
  const step = Math.ceil(seconds / PARTS);
  const lasts = await prometheus.samples(`last_over_time(${selector}[${step}s])[${seconds}s:${step}s]`, {
    signal,
    atSeconds: now,
  });
  const ends = new Set([now, ...lasts.flatMap((last) => changesOf(last, step))]);
  const raw = [...ends].map((end) => prometheus.samples(`${selector}[${step}s]`, { signal, atSeconds: end }));
  return (await Promise.all(raw)).flat();
}

/** The ends of the parts whose neighbours have a different value of the series, or none. */
function changesOf({ points }: Samples, step: number): number[] {
  const lastAt = new Map(points.map(({ atSeconds, value }) => [atSeconds, value]));
  return points
    .filter(({ atSeconds, value }) => {
      const neighbours = [lastAt.get(atSeconds - step), lastAt.get(atSeconds + step)];
      return !neighbours.every((last) => last !== undefined && Math.abs(value - last) < START_JITTER_SECONDS);
    })
    .map(({ atSeconds }) => atSeconds);
}

function matchersOf(labels: Labels): string {
  return Object.entries(labels)
    .map(([label, value]) => {
      const name = /^[a-zA-Z_]\w*$/.test(label) ? label : JSON.stringify(label);
      return `${name}=${JSON.stringify(value)}`;
    })
    .join(',');
}

/** If the start time changes within a series, the samples belong to different processes. */
function processesOf(starts: readonly Samples[], metrics: Metrics): Process[] {
  const isUp = isByTarget(metrics);
  const processes: Process[] = [];
  for (const { labels: all, points } of starts) {
    const { __name__, ...labels } = all;
    const own = processes.filter((process) => isSameTarget(process.labels, labels));
    for (const { atSeconds, value } of points) {
      if (isUp ? value !== 1 : !Number.isFinite(value)) continue;
      const startTimeSeconds = isUp ? null : value;
      const known = own.find((process) => isSameProcess(process, { ...process, startTimeSeconds }));
      if (known !== undefined) known.lastScrapeSeconds = Math.max(known.lastScrapeSeconds, atSeconds);
      else {
        const process = { labels, startTimeSeconds, lastScrapeSeconds: atSeconds };
        own.push(process);
        processes.push(process);
      }
    }
  }
  return processes;
}
