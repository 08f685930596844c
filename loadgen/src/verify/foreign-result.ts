/**
 * Parses the JSON results of other generators, for `verify --sent`. These contain no routes, so only totals by status are compared;
 * unknown counts become ranges.
 */
import { z } from 'zod';
import type { ExpectedCount } from '../common/expected-counts.ts';
import type { Counter, Metrics } from '../common/metrics.ts';
import { sumOf } from '../common/sums.ts';

export interface ForeignResult {
  readonly tool: string;
  readonly answered: Record<string, number>;
  /** Requests that were sent and may have been counted. */
  readonly unknown: number;
  /** Whether the result has the status of each response. */
  readonly hasCodes: boolean;
  /** In seconds since 1970, on the clock of the sending machine; undefined if the result has no times. */
  readonly startSeconds?: number;
  readonly endSeconds?: number;
  /** Describes what the result cannot contain. */
  readonly note: string;
}

const count = z.int().min(0);
const seconds = z.iso
  .datetime({ offset: true, precision: null })
  .transform((text) => Date.parse(text) / 1000);

const vegeta = z
  .object({ requests: count, status_codes: z.record(z.string(), count), earliest: seconds, end: seconds })
  .transform(
    ({ status_codes: { 0: unknown = 0, ...answered }, earliest, end }): ForeignResult => ({
      ...{ tool: 'vegeta', answered, unknown, hasCodes: true, startSeconds: earliest, endSeconds: end },
      note: 'vegeta waits for every response, and follows redirects with further requests; requests with status 0 got no response, and may have been counted',
    }),
  );

const autocannon = z
  .object({
    requests: z.object({ sent: count }),
    statusCodeStats: z.record(z.string(), z.object({ count })),
    start: seconds,
    finish: seconds,
  })
  .transform(({ requests: { sent }, statusCodeStats, start, finish }): ForeignResult => {
    const counts = Object.entries(statusCodeStats).map(([code, { count }]) => [code, count] as const);
    const answered = Object.fromEntries(counts);
    const total = sumOf(counts, ([, count]) => count);
    return {
      ...{ tool: 'autocannon', answered, unknown: Math.max(0, sent - total), hasCodes: true },
      ...{ startSeconds: start, endSeconds: finish },
      note:
        sent > total
          ? 'autocannon has no response to some: it drops requests in flight at its end, and also counts requests that it repeats on a new connection'
          : '',
    };
  });

/** `--summary-export` puts the values into the metric, `handleSummary` puts them under `values`. */
const k6Metric = z
  .union([z.object({ values: z.record(z.string(), z.unknown()) }), z.record(z.string(), z.unknown())])
  .transform((metric) => ('values' in metric ? metric.values : metric) as Record<string, unknown>);

const k6 = z
  .object({
    metrics: z.object({
      http_reqs: k6Metric,
      http_req_failed: k6Metric.optional(),
      vus_max: k6Metric.optional(),
    }),
  })
  .refine(({ metrics: { http_reqs } }) => typeof http_reqs.count === 'number')
  .transform(({ metrics: { http_reqs, http_req_failed, vus_max } }): ForeignResult => {
    const number = (value: unknown) => (typeof value === 'number' ? value : 0);
    // `passes` of a rate is the number of samples that are true: here the failed requests.
    const failed = http_req_failed === undefined ? number(http_reqs.count) : number(http_req_failed.passes);
    return {
      ...{ tool: 'k6', hasCodes: false, answered: { 200: number(http_reqs.count) - failed } },
      unknown: failed + number(vus_max?.value ?? vus_max?.max),
      note: 'k6 reports no statuses: failed requests, and one request per virtual user in flight at the end, may have been counted',
    };
  });

/** @returns undefined for any other JSON */
export function parseForeignResult(json: unknown): ForeignResult | undefined {
  return z.union([vegeta, autocannon, k6]).safeParse(json).data;
}

export function toExpectedCount({ answered, unknown }: ForeignResult): ExpectedCount {
  return { route: null, method: '', path: '/', answered, unknown, notSent: 0 };
}

/** The counters of all requests, summed over the dimensions that such a result does not have. */
export function totalsOnly(metrics: Metrics, { hasCodes }: ForeignResult): Metrics {
  const counters = metrics.counters
    .filter(({ counts }) => counts === 'all')
    .map(({ route, method, code, ...counter }): Counter => (hasCodes ? { ...counter, code } : counter));
  return { ...metrics, counters };
}
