/** Data of the API in Prometheus for tests, with series in PromQL notation, which the program itself never parses. */

import type { ExpectedCount, ExpectedCounts } from '../src/common/expected-counts.ts';
import { type MetricsInput, metricsSchema } from '../src/common/metrics.ts';
import { PRESETS } from '../src/common/presets.ts';
import type { InstanceSnapshot, Snapshot } from '../src/verify/process.ts';
import type { VerificationRow } from '../src/verify/rows.ts';
import { formatSeries, type Series } from '../src/verify/series.ts';
import { verify as verifyBetween } from '../src/verify/verification.ts';

export const GET_CART = 'http_requests_total{path="cart",method="get"}';
export const CART_200 = 'http_request_duration_seconds_count{path="cart",method="get",code="200"}';
export const POST_CART = 'http_requests_total{path="cart",method="post"}';
export const MISSING = 'http_request_duration_seconds_count{path="unmatched",method="get",code="404"}';
export const ERRORS_404 = 'http_errors_total{code="404"}';
export const GAUGE = 'inprogress_requests';

export function seriesOf(text: string): Series {
  const [metric = '', labels = ''] = text.split(/[{}]/);
  const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, value]) => [label, value]);
  return { metric, labels: Object.fromEntries(pairs) };
}

/** The metrics of this repository's API. */
export const OURS = metricsSchema.parse(PRESETS['express-exact-metrics']?.variants[0]);

export const verify = (before: Snapshot, after: Snapshot, expected: ExpectedCounts) =>
  verifyBetween(before, after, expected, OURS);

/** A row of a verification with its series as text. */
export function textRow({ metric, labels, ...numbers }: VerificationRow) {
  return { series: formatSeries({ metric, labels }), ...numbers };
}

/** The counts of a process, and its start time if it is not 1. */
export type Counts = Readonly<Record<string, number>>;
export type Processes = Readonly<Record<string, Counts>>;

export function valuesOf(counts: Counts): InstanceSnapshot['values'] {
  return Object.entries(counts).map(([text, value]) => ({ ...seriesOf(text), value }));
}

/** GET /cart, all answered with 200. */
export const served = (count: number, others: Counts = {}): Counts => ({
  [GET_CART]: count,
  [CART_200]: count,
  ...others,
});

export function processOf(instance: string, { start = 1, ...counts }: Counts, labels = {}): InstanceSnapshot {
  return {
    labels: { job: 'api', instance, ...labels },
    startTimeSeconds: start,
    scrapedAtSeconds: 0,
    values: valuesOf({ [GAUGE]: 0, ...counts }),
  };
}

export function snapshotOf(processes: Processes, askedAtSeconds = 0): Snapshot {
  const instances = Object.entries(processes).map(([instance, counts]) => ({
    ...processOf(instance, counts),
    scrapedAtSeconds: askedAtSeconds + 1,
  }));
  return { askedAtSeconds, instances };
}

/** Five responses with 200 to GET /cart, with overrides. */
export const cart = (overrides: Partial<ExpectedCount> = {}): ExpectedCount => ({
  route: 'cart',
  method: 'GET',
  path: '/cart',
  answered: { 200: 5 },
  unknown: 0,
  notSent: 0,
  ...overrides,
});

/** The verification of one process with these counts, starting at 0. */
export const verifyOne = (counts: Counts, sent: ExpectedCounts = [cart()], before: Counts = {}) =>
  verify(snapshotOf({ a: before }), snapshotOf({ a: counts }), sent);

/** The verification of requests by one counter, `requests_total`, starting at 0. */
export function verifyBy(
  counter: Partial<MetricsInput['counters'][number]>,
  counts: Counts,
  sent: readonly ExpectedCount[] = [cart()],
  others: Partial<MetricsInput> = {},
) {
  const metrics = metricsSchema.parse({ counters: [{ name: 'requests_total', ...counter }], ...others });
  return verifyBetween(snapshotOf({ a: {} }), snapshotOf({ a: counts }), sent, metrics);
}
