/**
 * The data of each process of the service, which snapshots consist of. A process is identified by all labels of its target and its
 * start time, if it has one.
 */
import { z } from 'zod';
import { CheckError } from '../common/errors.ts';
import { isByTarget, type Metrics, ownLabelsOf } from '../common/metrics.ts';
import { formatCount } from '../common/units.ts';
import type { Labels, Prometheus, Sample } from './prometheus.ts';
import { formatLabels, type Series, seriesSchema } from './series.ts';

/**
 * Some client libraries compute the start time at each scrape, so it varies by some milliseconds
 * (github.com/prometheus/client_golang/issues/289). A process that is replaced within half a second has counted next to nothing;
 * mistaking its replacement for it can make a verification fail, but never succeed.
 */
export const START_JITTER_SECONDS = 0.5;

const instanceSchema = z.strictObject({
  labels: z.record(z.string(), z.string()).meta({ description: 'All labels of the target in Prometheus.' }),
  startTimeSeconds: z.number().nullable().meta({
    description:
      'A different value means a different process, whose counters started at 0. Null if no metric has it.',
  }),
  scrapedAtSeconds: z.number().meta({ description: "The time of its last scrape, on Prometheus' clock." }),
  hasFallen: z.boolean().optional().meta({
    description:
      'Without a start time: whether a counter dropped since the earlier snapshot, which indicates a restart.',
  }),
  values: z.array(
    z.strictObject({
      ...seriesSchema.shape,
      value: z.number().nullable().meta({
        description:
          'Null if the sample is not a valid count: negative, not finite, or too large to be exact.',
      }),
    }),
  ),
});

const terminatedSchema = z.strictObject({
  ...instanceSchema.shape,
  isDrained: z.boolean().meta({
    description: 'Whether it had finished all requests and accepted no more at its last scrape.',
  }),
});

export const snapshotSchema = z
  .strictObject({
    askedAtSeconds: z.number().meta({
      description:
        "The time on Prometheus' clock when the snapshot was requested. It includes everything before that time.",
    }),
    instances: z.array(instanceSchema),
    terminated: z.array(terminatedSchema).optional().meta({
      description: 'Processes that ended since an earlier snapshot, with the values of their last scrape.',
    }),
  })
  .meta({ description: 'Raw counter values per process.' });

export type InstanceSnapshot = z.output<typeof instanceSchema>;
export type TerminatedProcess = z.output<typeof terminatedSchema>;
export type Snapshot = z.output<typeof snapshotSchema>;

/** The part of the client that snapshots use. */
export type PrometheusReader = Pick<Prometheus, 'url' | 'time' | 'query' | 'samples' | 'targets'>;

export interface Source {
  readonly prometheus: PrometheusReader;
  readonly job: string;
  readonly signal: AbortSignal;
}

export function ofJob(job: string): string {
  return `job=${JSON.stringify(job)}`;
}

type ProcessName = Pick<InstanceSnapshot, 'labels' | 'startTimeSeconds'>;

export function isSameTarget(a: Labels, b: Labels): boolean {
  return sizeOf(a) === sizeOf(b) && isWithin(a, b);
}

export function isSameProcess(a: ProcessName, b: ProcessName): boolean {
  const { startTimeSeconds: one } = a;
  const { startTimeSeconds: other } = b;
  const isSameStart = one === null || other === null || Math.abs(one - other) < START_JITTER_SECONDS;
  return isSameStart && isSameTarget(a.labels, b.labels);
}

/** The metric with a sample for each process at each scrape. */
export function presenceOf(metrics: Metrics): string {
  return isByTarget(metrics) ? 'up' : String(metrics.startTime);
}

/** `api-1:8000`, or `api-1:8000 {pod="api-7"}` with labels other than job and instance. */
export function formatTarget({ __name__, job, instance = 'a target', ...others }: Labels): string {
  const pairs = formatLabels(others);
  return pairs.length === 0 ? instance : `${instance} {${pairs.join(',')}}`;
}

const SCRAPED_AT = 'loadgen_scraped_at';

/**
 * Selects all data of a snapshot, for the targets that match `matchers`, with the time of each scrape. It is one query, so that
 * Prometheus evaluates it on one state of its data.
 * @param isForwarded whether samples arrive by `remote_write`, so that those of one scrape may arrive separately: then the result
 * has a time for each of them
 */
export function snapshotQueryOf(matchers: string, metrics: Metrics, isForwarded = false): string {
  const { counters, inProgress, drained, startTime } = metrics;
  const wanted = ['up', startTime, drained, ...counters.map(({ name }) => name), inProgress];
  const names = wanted.filter((name) => name != null).join('|');
  const timed = isForwarded ? [...counters.map(({ name }) => name), inProgress ?? []].flat() : [];
  const times = [presenceOf(metrics), ...timed].map(
    (name) => `label_replace(timestamp(${name}{${matchers}}), "${SCRAPED_AT}", "${name}", "", "")`,
  );
  return [`{__name__=~"${names}",${matchers}}`, ...times].join(' or ');
}

/**
 * The processes in a result of {@link snapshotQueryOf}. A sample belongs to a process if it has all of its labels.
 * @throws CheckError if a sample belongs to no process
 */
export function toProcesses(samples: readonly Sample[], metrics: Metrics): TerminatedProcess[] {
  const { drained, startTime } = metrics;
  const presence = presenceOf(metrics);
  const processes = samples
    .filter(({ labels, value }) => labels.__name__ === presence && Number.isFinite(value))
    .filter(({ value }) => presence !== 'up' || value === 1)
    .map(({ labels: { __name__, ...labels }, value }) => ({
      labels,
      startTimeSeconds: presence === 'up' ? null : value,
      scrapedAtSeconds: Number.NaN,
      isDrained: false,
      values: [] as TerminatedProcess['values'],
    }))
    .sort((a, b) => sizeOf(b.labels) - sizeOf(a.labels));
  checkDistinct(samples, processes, metrics);
  for (const { labels, value, histogram } of samples) {
    const { __name__: name = '' } = labels;
    if (name === 'up' || name === presence) continue;
    const process = processes.find((one) => isWithin(one.labels, labels));
    // VictoriaMetrics still returns the times of ended processes.
    if (process === undefined && SCRAPED_AT in labels) continue;
    if (process === undefined) throw withoutProcess(labels, metrics);
    if (SCRAPED_AT in labels) process.scrapedAtSeconds = earlierOf(process.scrapedAtSeconds, value);
    else if (name === drained) process.isDrained = value === 1;
    else if (name === startTime)
      process.startTimeSeconds = Math.min(value, process.startTimeSeconds ?? value);
    else
      process.values.push({ ...toSeries(name, labels, metrics), value: toCount(histogram?.count ?? value) });
  }
  return processes;
}

/** @param known NaN if there is none */
const earlierOf = (known: number, seconds: number) => Math.min(known || seconds, seconds);

/** @throws CheckError for a target that matches no process, and for targets with the same labels */
function checkDistinct(
  samples: readonly Sample[],
  processes: readonly ProcessName[],
  metrics: Metrics,
): void {
  const ups = samples.filter(({ labels, value }) => labels.__name__ === 'up' && value === 1);
  const stranger = ups.find(({ labels }) => !processes.some((one) => isCompatible(one.labels, labels)));
  if (stranger !== undefined) throw withoutProcess(stranger.labels, metrics);
  if (ups.length > processes.length)
    throw new CheckError(
      `${ups.length} targets of job "${ups[0]?.labels.job}" in Prometheus have only ${formatCount(processes.length, 'set')} of labels: they cannot be distinguished`,
    );
}

function toSeries(name: string, labels: Labels, { counters }: Metrics): Series {
  const counter = counters.find((one) => one.name === name);
  return { metric: name, labels: counter === undefined ? {} : ownLabelsOf(counter, labels) };
}

function withoutProcess(labels: Labels, metrics: Metrics): CheckError {
  const name = `${formatTarget(labels)} of job "${labels.job}" in Prometheus`;
  return new CheckError(
    isByTarget(metrics)
      ? `${name} has samples whose labels differ from those of its up: their process is unknown`
      : `${name} has no ${metrics.startTime}: a restart could not be detected`,
  );
}

function toCount(value: number): number | null {
  return value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : null;
}

function sizeOf(labels: Labels): number {
  return Object.keys(labels).length;
}

export function isWithin(part: Labels, labels: Labels): boolean {
  return Object.entries(part).every(([label, value]) => labels[label] === value);
}

/** `up` is not relabelled like the metrics of its target, so it may have more or fewer labels. */
function isCompatible(a: Labels, b: Labels): boolean {
  return Object.entries(a).every(([label, value]) => b[label] === undefined || b[label] === value);
}
