/**
 * The snapshot before a run, and its metrics. A service that has not counted any request may have no series yet: then the metrics are
 * detected after the run, and all counters started at 0.
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
import { type Detected, detectMetrics } from './detect.ts';
import type { PrometheusReader, Snapshot } from './process.ts';
import { readSnapshot, type SnapshotOptions } from './snapshot.ts';

export interface Baseline {
  /** Without counters if they are not known yet. */
  readonly metrics: Metrics;
  readonly before: Snapshot;
}

type BaselineOptions = Omit<SnapshotOptions, 'metrics'> & {
  readonly onChoice?: (reason: string) => void;
  /** If a preset was named, no other metrics are considered. */
  readonly preset?: string | undefined;
};

/** @throws the errors of {@link readSnapshot}, and CheckError if two mappings fit equally */
export async function readBaseline(
  prometheus: PrometheusReader,
  choice: MetricsChoice,
  options: BaselineOptions,
): Promise<Baseline> {
  const found = await find(prometheus, choice, options);
  if (found?.startTime !== undefined)
    return { metrics: found, before: await readSnapshot(prometheus, { ...options, metrics: found }) };
  // After this snapshot every target has been scraped, so metrics that are still unknown were not exposed.
  const first = await readSnapshot(prometheus, { ...options, metrics: { ...NO_METRICS, startTime: null } });
  const metrics = found ?? (await find(prometheus, choice, options)) ?? withIgnored(NO_METRICS, choice);
  const resolved = await withStart(prometheus, metrics, options);
  const { askedAtSeconds } = first;
  return {
    metrics: resolved,
    before: await readSnapshot(prometheus, { ...options, metrics: resolved, askedAtSeconds }),
  };
}

/** The metrics of a service that has been scraped. @throws CheckError if it exposes none, or two fit equally */
export async function resolveMetrics(
  prometheus: PrometheusReader,
  choice: MetricsChoice,
  options: BaselineOptions,
): Promise<Metrics> {
  const found = await find(prometheus, choice, options);
  const known = found ?? withIgnored(NO_METRICS, choice);
  return withStart(prometheus, await completeMetrics(prometheus, known, options), options);
}

/** Adds the metric that reveals a restart, if the mapping does not name one. */
async function withStart(
  prometheus: PrometheusReader,
  metrics: Metrics,
  { job, signal }: BaselineOptions,
): Promise<Metrics> {
  if (metrics.startTime !== undefined) return metrics;
  const starts = await prometheus.query(`count(${START_TIME}{job=${JSON.stringify(job)}})`, { signal });
  return { ...metrics, startTime: starts.length > 0 ? START_TIME : null };
}

/** The metrics of a baseline, or those that the service has exposed since. @throws CheckError if it exposes none */
export async function completeMetrics(
  prometheus: PrometheusReader,
  known: Metrics,
  options: BaselineOptions,
): Promise<Metrics> {
  if (known.counters.length > 0) return known;
  const { job, signal, onChoice, preset } = options;
  // After this snapshot, everything that was counted so far has been scraped.
  await readSnapshot(prometheus, { ...options, metrics: { ...known, startTime: null } });
  const found = await detectMetrics(prometheus, job, signal, preset === undefined ? undefined : [preset]);
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

async function find(
  prometheus: PrometheusReader,
  choice: MetricsChoice,
  { job, signal, onChoice }: BaselineOptions,
): Promise<Metrics | undefined> {
  const { metrics } = choice;
  if (typeof metrics !== 'string') return withIgnored(metrics, choice);
  const preset = PRESETS[metrics];
  if (preset?.variants.length === 1 && preset.optional === undefined)
    return withIgnored(metricsSchema.parse(preset.variants[0]), choice);
  const names = preset && [metrics];
  const detected: Detected | undefined = await detectMetrics(prometheus, job, signal, names);
  if (detected !== undefined) onChoice?.(detected.reason);
  return detected && withIgnored(detected.metrics, choice);
}

function withIgnored(metrics: Metrics, { ignoreRoutes }: MetricsChoice): Metrics {
  return { ...metrics, ignoreRoutes: [...metrics.ignoreRoutes, ...ignoreRoutes] };
}
