/**
 * The snapshot before a run, and its metrics. A service that has not counted any request may have no series yet: then the metrics
 * are detected after the run, and all counters have started at 0.
 */
import { CheckError } from '../common/errors.ts';
import {
  type Metrics,
  type MetricsChoice,
  metricsSchema,
  NO_METRICS,
  START_TIME,
} from '../common/metrics.ts';
import { PRESET_NAMES, PRESETS } from '../common/presets.ts';
import { detectMetrics } from './detect.ts';
import { ofJob, type Snapshot } from './process.ts';
import { readSnapshot, type SnapshotOptions } from './snapshot.ts';

export interface Baseline {
  /** Has no counters if they are not known yet. */
  readonly metrics: Metrics;
  readonly before: Snapshot;
}

/** Options for snapshots whose metrics are not known yet. */
export type BaselineOptions = Omit<SnapshotOptions, 'metrics'> & {
  readonly onChoice?: (reason: string) => void;
  /** If the user named a preset, no other metrics are considered. */
  readonly preset?: string | undefined;
};

/** @throws the errors of {@link readSnapshot}, and CheckError if two mappings fit equally well */
export async function readBaseline(choice: MetricsChoice, options: BaselineOptions): Promise<Baseline> {
  const found = await find(choice, options);
  if (found?.startTime !== undefined)
    return { metrics: found, before: await readSnapshot({ ...options, metrics: found }) };
  // After this snapshot every target has been scraped, so metrics that are still unknown were not exposed.
  const nothing = { ...NO_METRICS, startTime: null };
  const { askedAtSeconds } = await readSnapshot({ ...options, metrics: nothing });
  const known = found ?? (await find(choice, options)) ?? withIgnored(NO_METRICS, choice);
  const metrics = await withStart(known, options);
  return { metrics, before: await readSnapshot({ ...options, metrics, askedAtSeconds }) };
}

/** The metrics of a service that has been scraped. @throws CheckError if it exposes none, or two fit equally well */
export async function resolveMetrics(choice: MetricsChoice, options: BaselineOptions): Promise<Metrics> {
  const known = (await find(choice, options)) ?? withIgnored(NO_METRICS, choice);
  return withStart(await completeMetrics(known, options), options);
}

/** Adds the metric that reveals a restart, if the mapping does not name one. */
async function withStart(metrics: Metrics, { prometheus, job, signal }: BaselineOptions): Promise<Metrics> {
  if (metrics.startTime !== undefined) return metrics;
  const starts = await prometheus.query(`count(${START_TIME}{${ofJob(job)}})`, { signal });
  return { ...metrics, startTime: starts.length > 0 ? START_TIME : null };
}

/** The metrics of a baseline, or the metrics that the service has exposed since. @throws CheckError if it exposes none */
export async function completeMetrics(known: Metrics, options: BaselineOptions): Promise<Metrics> {
  if (known.counters.length > 0) return known;
  const { job, onChoice, preset } = options;
  // After this snapshot, everything counted so far has been scraped.
  await readSnapshot({ ...options, metrics: { ...known, startTime: null } });
  const found = await detectMetrics(options, preset === undefined ? undefined : [preset]);
  if (found === undefined)
    throw new CheckError(
      `--metrics: expected a counter of requests, got none of job "${job}" in Prometheus: neither of a preset ` +
        `(${PRESET_NAMES.join(', ')}) nor with labels for method and code`,
    );
  onChoice?.(found.reason);
  return {
    ...found.metrics,
    ignoreRoutes: [...found.metrics.ignoreRoutes, ...known.ignoreRoutes],
    startTime: known.startTime,
  };
}

async function find(choice: MetricsChoice, options: BaselineOptions): Promise<Metrics | undefined> {
  const { metrics } = choice;
  if (typeof metrics !== 'string') return withIgnored(metrics, choice);
  const preset = PRESETS[metrics];
  if (preset?.variants.length === 1 && preset.optional === undefined)
    return withIgnored(metricsSchema.parse(preset.variants[0]), choice);
  const detected = await detectMetrics(options, preset && [metrics]);
  if (detected !== undefined) options.onChoice?.(detected.reason);
  return detected && withIgnored(detected.metrics, choice);
}

function withIgnored(metrics: Metrics, { ignoreRoutes }: MetricsChoice): Metrics {
  return { ...metrics, ignoreRoutes: [...metrics.ignoreRoutes, ...ignoreRoutes] };
}
