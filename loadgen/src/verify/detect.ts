/**
 * Detects the metrics that count the requests of a job: `--metrics auto`. Considers the presets first, then any counter with labels
 * that look like a method and a code.
 */
import { CheckError } from '../common/errors.ts';
import {
  type Counter,
  DIMENSIONS,
  type Metrics,
  type MetricsInput,
  metricsSchema,
} from '../common/metrics.ts';
import { PRESETS } from '../common/presets.ts';
import { ofJob, type Source } from './process.ts';

/** Common names of labels, the most common first. */
const KNOWN = {
  route: ['route', 'path', 'handler', 'uri', 'http_route', 'url_rule', 'endpoint', 'url'],
  method: ['method', 'http_request_method', 'http_method', 'request_method', 'verb'],
  code: ['code', 'status_code', 'status', 'http_response_status_code', 'http_status_code', 'http_status'],
} as const;

/** Metrics of requests that the service sends, metrics of Prometheus itself, and metrics that are not per request. */
const OTHER = /client|outgoing|upstream|promhttp|prometheus_|scrape|_(size|bytes)/;

export interface Detected {
  readonly metrics: Metrics;
  readonly reason: string;
}

/** The values of the known labels, by metric and label. */
type Found = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;

/**
 * @param names the only presets or counters to consider; by default all presets, then any counter
 * @returns undefined if nothing fits, for example if the service has not counted a request yet
 * @throws CheckError if two fit equally well
 */
export async function detectMetrics(
  { prometheus, job, signal }: Source,
  names?: readonly string[],
): Promise<Detected | undefined> {
  const labels = Object.values(KNOWN).flat().join(',');
  const query = `count by (__name__,${labels}) ({__name__=~".+_(total|count)",${ofJob(job)}})`;
  const found = new Map<string, Map<string, Set<string>>>();
  for (const { labels } of await prometheus.query(query, { signal })) {
    const { __name__: name = '', ...others } = labels;
    const own = found.get(name) ?? new Map<string, Set<string>>();
    found.set(name, own);
    for (const [label, value] of Object.entries(others))
      own.set(label, (own.get(label) ?? new Set()).add(value));
  }
  const presets = Object.entries(PRESETS)
    .filter(([name]) => names === undefined || names.includes(name))
    .flatMap(([name, { variants, optional }]) =>
      variants.flatMap((variant) => fit(name, variant, optional, found)),
    );
  const others = [...found]
    .filter(([name]) =>
      names === undefined ? /http|request/.test(name) && !OTHER.test(name) : names.includes(name),
    )
    .flatMap(toCandidate);
  return choose(presets, others, job);
}

interface Candidate {
  readonly name: string;
  readonly metrics: Metrics;
}

function fit(
  name: string,
  variant: MetricsInput,
  optional: readonly string[] = [],
  found: Found,
): Candidate[] {
  const metrics = metricsSchema.parse(variant);
  const counters = metrics.counters.map((counter) => {
    const labels = found.get(counter.name);
    if (labels === undefined) return undefined;
    const adapted = { ...counter };
    for (const dimension of DIMENSIONS) {
      const label = counter[dimension];
      // Before the first request with a route, the label for the route may be missing.
      const mayMiss = dimension === 'route' && counter.counts === 'all' && metrics.unmatched === '';
      if (label === undefined || labels.has(label)) continue;
      if (mayMiss && !optional.includes(label)) continue;
      if (!optional.includes(label)) return undefined;
      delete adapted[dimension];
    }
    return adapted;
  });
  const fitting = counters.filter((counter) => counter !== undefined);
  return fitting.length < counters.length ? [] : [{ name, metrics: { ...metrics, counters: fitting } }];
}

function toCandidate([name, labels]: [string, ReadonlyMap<string, ReadonlySet<string>>]): Candidate[] {
  const labelOf = (dimension: keyof typeof KNOWN) => KNOWN[dimension].find((label) => labels.has(label));
  const [route, method, code] = [labelOf('route'), labelOf('method'), labelOf('code')];
  if (method === undefined || code === undefined) return [];
  const every = (label: string, form: RegExp) =>
    [...(labels.get(label) ?? [])].every((value) => form.test(value));
  if (!every(code, /^\d(\d\d|xx)$/)) return [];
  const counter = {
    ...{ name, route, method, code },
    methodCase: every(method, /^[a-z]+$/) ? 'lower' : 'upper',
    codeAs: every(code, /^\dxx$/) ? 'class' : 'code',
  };
  return [{ name, metrics: metricsSchema.parse({ counters: [counter] }) }];
}

/** A preset is preferred to another counter with the same labels. */
function choose(
  presets: readonly Candidate[],
  others: readonly Candidate[],
  job: string,
): Detected | undefined {
  const mostOf = (candidates: readonly Candidate[]) => Math.max(0, ...candidates.map(scoreOf));
  const candidates = mostOf(presets) >= mostOf(others) ? presets : others;
  const [best, next] = candidates.toSorted((a, b) => scoreOf(b) - scoreOf(a));
  if (best === undefined) return undefined;
  if (next !== undefined && scoreOf(best) === scoreOf(next))
    throw new CheckError(
      `--metrics: ${best.name} and ${next.name} fit job "${job}" equally; expected one of them by name`,
    );
  return {
    metrics: best.metrics,
    reason: `${best.name} (${best.metrics.counters.map(describe).join(', ')})`,
  };
}

/** The number of dimensions that the mapping distinguishes. */
function scoreOf({ metrics: { counters } }: Candidate): number {
  return Math.max(...counters.map((counter) => dimensionsOf(counter).length));
}

function dimensionsOf(counter: Counter): string[] {
  return DIMENSIONS.flatMap((dimension) => counter[dimension] ?? []);
}

function describe(counter: Counter): string {
  return `${counter.name} by ${dimensionsOf(counter).join(', ')}`;
}
