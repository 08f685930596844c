/** The rows of a verification: what each series must have grown by, and has. */
import { z } from 'zod';
import { type ExpectedCounts, totalsOf } from './expected-counts.ts';
import {
  DURATIONS,
  ERRORS,
  formatSeries,
  IN_PROGRESS,
  REQUESTS,
  type Series,
  SeriesCounts,
  seriesSchema,
  toSeries,
} from './series.ts';

const count = z.int().min(0);

export const rowSchema = z.strictObject({
  metric: z.string(),
  labels: seriesSchema.shape.labels.nullable().meta({
    description: 'Null for the row in which all those series are pooled that no target has declared.',
  }),
  atLeast: count.meta({ description: 'The expected count: the answered requests.' }),
  atMost: count.meta({ description: 'Those, and the ones that may have been counted.' }),
  counted: z.number().meta({ description: "By how much Prometheus' value grew; for the gauge, its value." }),
  difference: z.number().meta({ description: '0 inside the bounds, otherwise how far outside.' }),
});

export type VerificationRow = z.output<typeof rowSchema>;

/** The name of a row, as a user reads it. */
export function formatRowName({ metric, labels }: Pick<VerificationRow, 'metric' | 'labels'>): string {
  return labels === null ? `${metric}{any other}` : formatSeries({ metric, labels });
}

export function toRows(counted: SeriesCounts, expected: ExpectedCounts): VerificationRow[] {
  const { exact, slackOf } = expectations(expected);
  const rows = exact.seriesWith(counted).flatMap((series) => {
    const atLeast = exact.of(series);
    const isIdle = atLeast === 0 && counted.of(series) === 0 && series.metric !== IN_PROGRESS;
    return isIdle ? [] : [toRow(series, atLeast, atLeast + slackOf(series), counted.of(series))];
  });
  return withUndeclared(rows, expected).sort(byMetricThenLabels);
}

/** What each series must have grown by, and by how much more it may have grown because of requests that may have been counted or not. */
function expectations(expected: ExpectedCounts) {
  const exact = new SeriesCounts();
  const slack = new SeriesCounts();
  for (const { series, answered, unknown } of expected) {
    for (const [code, requests] of Object.entries(answered)) {
      if (Number(code) >= 400) exact.add(toSeries(ERRORS, { code }), requests);
      if (series === null) continue;
      if (isRoute(series)) exact.add(toSeries(REQUESTS, series), requests);
      exact.add(toSeries(DURATIONS, { ...series, code }), requests);
    }
    slack.add(toSeries(ERRORS, {}), unknown);
    if (series === null) continue;
    if (isRoute(series)) slack.add(toSeries(REQUESTS, series), unknown);
    slack.add(toSeries(DURATIONS, series), unknown);
  }
  // An unknown request may have ended with any code, so its slack is kept without one.
  const slackOf = ({ metric, labels: { code, ...labels } }: Series) => slack.of({ metric, labels });
  return { exact, slackOf };
}

/** The histogram has a row for requests that no route matched; `http_requests_total` has none. */
function isRoute({ path }: { readonly path: string }): boolean {
  return path !== UNMATCHED;
}

/**
 * Targets that declare no series may be counted under any: what exceeds the declared ones is theirs, up to their number.
 * It is taken out of the single rows and shown as one row per metric.
 */
function withUndeclared(rows: VerificationRow[], expected: ExpectedCounts): VerificationRow[] {
  const { answered, unknown } = totalsOf(expected.filter(({ series }) => series === null));
  if (answered + unknown === 0) return rows;
  const kept: VerificationRow[] = [];
  const surplus = new Map([REQUESTS, DURATIONS].map((metric) => [metric, 0]));
  let unmatched = 0;
  for (const row of rows) {
    const sum = surplus.get(row.metric);
    if (sum === undefined || row.difference <= 0) {
      kept.push(row);
      continue;
    }
    surplus.set(row.metric, sum + row.difference);
    if (row.metric === DURATIONS && row.labels?.path === UNMATCHED) unmatched += row.difference;
    if (row.atMost > 0) kept.push({ ...row, counted: row.counted - row.difference, difference: 0 });
  }
  // The range of a declared row may hold some of theirs.
  const atLeast = Math.max(0, answered - (totalsOf(expected).unknown - unknown));
  const atMost = answered + unknown;
  const durations = surplus.get(DURATIONS) ?? 0;
  // How many of them a route handled, and so counted, only the histogram says. Without it their number is only bounded.
  const routed = (requests: number) => Math.max(0, requests - Math.round(unmatched));
  const leastRouted = durations > 0 ? routed(atLeast) : 0;
  const pooled = (metric: string) => ({ metric, labels: null });
  return [
    ...kept,
    toRow(pooled(REQUESTS), leastRouted, routed(atMost), surplus.get(REQUESTS) ?? 0),
    toRow(pooled(DURATIONS), atLeast, atMost, durations),
  ];
}

function toRow(
  { metric, labels }: Pick<VerificationRow, 'metric' | 'labels'>,
  atLeast: number,
  atMost: number,
  counted: number,
): VerificationRow {
  const nearest = Math.min(Math.max(counted, atLeast), atMost);
  return { metric, labels, atLeast, atMost, counted, difference: counted - nearest };
}

const UNMATCHED = 'unmatched';
const METRIC_ORDER = [REQUESTS, ERRORS, DURATIONS, IN_PROGRESS];

function byMetricThenLabels(a: VerificationRow, b: VerificationRow): number {
  const order = METRIC_ORDER.indexOf(a.metric) - METRIC_ORDER.indexOf(b.metric);
  return order !== 0 ? order : formatRowName(a) < formatRowName(b) ? -1 : 1;
}
