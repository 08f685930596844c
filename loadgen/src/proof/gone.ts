/**
 * Processes of the API that are no more, as Prometheus has last seen them. One that was drained before its last scrape has
 * lost nothing: all that it ever counted is there. Of one that ended otherwise, what it counted after that scrape is lost.
 */

import {
  type GoneReading,
  type InstanceReading,
  isSameProcess,
  type PrometheusReader,
  type Reading,
  START_TIME,
  selectorOf,
  toValues,
} from './process.ts';
import type { Samples } from './prometheus.ts';
import { DRAINED } from './series.ts';

interface Process {
  readonly instance: string;
  readonly startTimeSeconds: number;
  /** On Prometheus' clock. */
  lastScrapeSeconds: number;
}

/**
 * @param present those that are still there
 * @param before an earlier reading
 * @returns those of `before` and those that appeared after it, which are not among `present`
 */
export async function readGone(
  prometheus: PrometheusReader,
  job: string,
  present: readonly InstanceReading[],
  before: Reading,
  signal: AbortSignal,
): Promise<GoneReading[]> {
  const own = `job=${JSON.stringify(job)}`;
  const seconds = (await prometheus.time(signal)) - before.askedAtSeconds + MARGIN_SECONDS;
  const starts = await prometheus.samples(`${START_TIME}{${own}}`, seconds, signal);
  // One that ended while `before` was taken is in neither: what it had counted is nobody's business.
  const readAtSeconds = Math.max(...before.instances.map(({ scrapedAtSeconds }) => scrapedAtSeconds));
  const isOf = (instances: readonly InstanceReading[], process: Process) =>
    instances.some((other) => isSameProcess(other, process));
  const gone = processesOf(starts)
    .filter((process) => !isOf(present, process))
    .filter((process) => isOf(before.instances, process) || process.lastScrapeSeconds > readAtSeconds);
  return Promise.all(
    gone.map(async ({ instance, startTimeSeconds, lastScrapeSeconds }) => {
      const selector = selectorOf(`${own},instance=${JSON.stringify(instance)}`);
      const samples = await prometheus.query(selector, signal, lastScrapeSeconds);
      return {
        instance,
        startTimeSeconds,
        scrapedAtSeconds: lastScrapeSeconds,
        isDrained: samples.some(({ labels, value }) => labels.__name__ === DRAINED && value === 1),
        values: toValues(samples),
      };
    }),
  );
}

/** Prometheus may date a scrape a little early. */
const MARGIN_SECONDS = 1;

/** A start time that changes within an instance is another process. */
function processesOf(starts: readonly Samples[]): Process[] {
  const processes = new Map<string, Process>();
  for (const { labels, points } of starts) {
    const { instance = '' } = labels;
    for (const { atSeconds, value } of points) {
      const key = JSON.stringify([instance, value]);
      const known = processes.get(key);
      if (known === undefined)
        processes.set(key, { instance, startTimeSeconds: value, lastScrapeSeconds: atSeconds });
      else known.lastScrapeSeconds = Math.max(known.lastScrapeSeconds, atSeconds);
    }
  }
  return [...processes.values()];
}
