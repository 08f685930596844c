/**
 * The metrics of the contract, on an injected registry: names, help texts, labels and buckets.
 *
 * The library is not called during a request: requests are counted in `request-counts.ts`, and the three metrics below
 * read those numbers when they are scraped. That makes a request cheap and every scrape exact: all values are taken at
 * one moment, so `http_requests_total` and `http_errors_total` always equal the sums of the histogram's counts.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import {
  Counter,
  collectDefaultMetrics,
  DerivedCounter,
  DerivedHistogram,
  Gauge,
  type Registry,
} from './library.ts';
import { addRequest, createRequestCounts, type RequestCounts, type Series } from './request-counts.ts';
import { createRequestSamples } from './request-samples.ts';
import type { RouteLabels } from './route-table.ts';

/**
 * Upper bounds of `http_request_duration_seconds`: the Prometheus defaults, and two below them, since this API answers
 * in less than a millisecond. The latency objective is one of them, so that the ratio of fast requests is exact.
 */
export const DURATION_BUCKETS_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** A request is fast when it ends within this time. The alerting rules use the same number. */
export const LATENCY_OBJECTIVE_SECONDS = 0.25;

/** The two moments of a request, as the instrument reports them. */
export interface RequestMetrics {
  /** A request entered. */
  started(): void;
  /** That request ended, in whichever way, `seconds` after it entered. Called once for each `started`. */
  ended(series: Series, code: number, seconds: number): void;
  /** The series of a row of the route table. @throws when the table has no such row */
  routed(path: string, method: string): Series;
  /** The series of requests that no row matched. `method` is the request's own; unknown ones share `other`. */
  unmatched(method: string): Series;
}

export interface MetricsOptions {
  /** Ascending bucket bounds in seconds. Default: {@link DURATION_BUCKETS_SECONDS}. */
  readonly bucketsSeconds?: readonly number[];
  /** Must be one of the bounds. Default: {@link LATENCY_OBJECTIVE_SECONDS}. */
  readonly latencyObjectiveSeconds?: number;
}

/**
 * Creates the request metrics and all their series, at 0.
 * @throws when no bucket bound equals the latency objective, when bounds do not ascend, or the table is contradictory
 */
export function createMetrics(
  registry: Registry,
  routes: readonly RouteLabels[],
  options: MetricsOptions = {},
): RequestMetrics {
  const bounds = options.bucketsSeconds ?? DURATION_BUCKETS_SECONDS;
  const objective = options.latencyObjectiveSeconds ?? LATENCY_OBJECTIVE_SECONDS;
  if (!bounds.includes(objective))
    throw new RangeError(`no bucket equals the latency objective of ${objective} s`);
  if (bounds.some((bound, i) => bound <= (bounds[i - 1] ?? 0)))
    throw new RangeError('bucket bounds must ascend from 0');
  const counts = createRequestCounts(routes, bounds);
  registerRequestMetrics(registry, counts);

  const routed = new Map(counts.routed.map((series) => [`${series.method} ${series.path}`, series]));
  const unmatched = new Map(counts.unmatched.map((series) => [series.method.toUpperCase(), series]));
  const other = unmatched.get('OTHER') as Series;
  // A HEAD counts as `get` also where no route matched.
  unmatched.set('HEAD', unmatched.get('GET') ?? other);
  return {
    started() {
      counts.inProgress++;
    },
    ended(series, code, seconds) {
      counts.inProgress--;
      addRequest(counts, series, code, seconds);
    },
    routed(path, method) {
      const series = routed.get(`${method} ${path}`);
      if (!series) throw new Error(`${method} ${path} is not in the route table`);
      return series;
    },
    unmatched: (method) => unmatched.get(method) ?? other,
  };
}

/**
 * Of the library's default metrics, those that are left out: gauges wrongly named `_total`, repetitions, and the event
 * loop's lag, whose mean and standard deviation take longer than all other metrics of a scrape together.
 */
const NEVER = [
  'nodejs_active_resources_total',
  'nodejs_active_handles',
  'nodejs_active_requests',
  'nodejs_eventloop_lag_',
];

/** The library cannot leave out its own sampling of the lag, only do it rarely. */
const ONE_HOUR_MS = 3_600_000;

export interface ProcessMetricsOptions {
  /** Beginnings of the names of families to leave out: `['nodejs_heap_']`. */
  readonly without?: readonly string[];
  /** How often the event loop's lag is sampled, in milliseconds. Default 10. */
  readonly eventLoopPrecisionMs?: number;
}

/**
 * Registers metrics of the process (CPU, memory, file descriptors) and of Node (event loop, garbage collection, heap,
 * resources), under the names of the library's default metrics. What each costs at a scrape is measured in `bench/`.
 */
export function createProcessMetrics(
  registry: Registry,
  { without = [], eventLoopPrecisionMs = 10 }: ProcessMetricsOptions = {},
): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: ONE_HOUR_MS });
  remove(registry, NEVER);
  createEventLoopMetrics(registry, eventLoopPrecisionMs);
  remove(registry, without);
}

function remove(registry: Registry, beginnings: readonly string[]): void {
  for (const { name } of registry.getMetricsAsArray()) {
    if (beginnings.some((beginning) => name.startsWith(beginning))) registry.removeSingleMetric(name);
  }
}

/** By how much the event loop's turns came late since the last scrape. The last family, the maximum, starts anew. */
function createEventLoopMetrics(registry: Registry, precisionMs: number): void {
  const sampled = monitorEventLoopDelay({ resolution: precisionMs });
  sampled.enable();
  for (const percent of [50, 90, 99, 100]) {
    const quantile = percent === 100 ? 'max' : `p${percent}`;
    new Gauge({
      name: `nodejs_eventloop_lag_${quantile}_seconds`,
      help: `Lateness of the event loop since the last scrape (${quantile}), in seconds`,
      registers: [registry],
      collect() {
        // Node's samples are the time between two, so they include the pause that was asked for.
        if (sampled.count > 0) this.set(Math.max(0, sampled.percentile(percent) / 1e9 - precisionMs / 1e3));
        if (percent === 100) sampled.reset();
      },
    });
  }
}

/** Counts the scrapes of the exposition and the time spent on rendering. */
export function createScrapeMetrics(registry: Registry): (code: number, seconds: number) => void {
  const registers = [registry];
  const scrapes = new Counter({
    name: 'metrics_scrapes_total',
    help: 'Total number of scrapes of the metrics endpoint, by response code',
    labelNames: ['code'],
    registers,
  });
  const seconds = new Counter({
    name: 'metrics_scrape_seconds_total',
    help: 'Total time from the arrival of a scrape to its answer, in seconds',
    registers,
  });
  for (const code of ['200', '500', '503']) scrapes.inc({ code }, 0);
  return (code, elapsed) => {
    scrapes.inc({ code: String(code) });
    seconds.inc(elapsed);
  };
}

function registerRequestMetrics(registry: Registry, counts: RequestCounts): void {
  const registers = [registry];
  const duration = {
    name: 'http_request_duration_seconds',
    help: 'Time from the arrival of a request to the end of its response, in seconds',
    labelNames: ['path', 'method', 'code'],
    buckets: [...counts.bounds],
    registers,
  };
  const samples = createRequestSamples(counts, duration.name);
  new DerivedCounter(
    {
      name: 'http_requests_total',
      help: 'Total number of requests',
      labelNames: ['path', 'method'],
      registers,
    },
    samples.requests,
  );
  new DerivedCounter(
    { name: 'http_errors_total', help: 'Total number of errors', labelNames: ['code'], registers },
    samples.errors,
  );
  new Gauge({
    name: 'inprogress_requests',
    help: 'Total number of requests in progress',
    registers,
    collect() {
      this.set(counts.inProgress);
    },
  });
  new DerivedHistogram(duration, samples.durations);
}
