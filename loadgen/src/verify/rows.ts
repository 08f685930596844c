/** The rows of a verification: what each series must have grown by, and has. */
import { z } from 'zod';
import { type Counter, isCountedBy, labelsOf, type Metrics, wholeCounterOf } from '../common/metrics.ts';
import { type ExpectedCounts, totalsOf } from './expected-counts.ts';
import { formatSeries, type Series, SeriesCounts, seriesSchema } from './series.ts';

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

export function toRows(counted: SeriesCounts, expected: ExpectedCounts, metrics: Metrics): VerificationRow[] {
  const { exact, slackOf } = expectations(expected, metrics);
  const rows = exact.seriesWith(counted).flatMap((series) => {
    const atLeast = exact.of(series);
    const isIdle = atLeast === 0 && counted.of(series) === 0 && series.metric !== metrics.inProgress;
    if (isIdle || isIgnored(series, metrics)) return [];
    return [toRow(series, atLeast, atLeast + slackOf(series), counted.of(series))];
  });
  return withUndeclared(rows, expected, metrics).sort(byMetricThenLabels(metrics));
}

export function counterOf({ metric }: Pick<Series, 'metric'>, { counters }: Metrics): Counter | undefined {
  return counters.find(({ name }) => name === metric);
}

/** The value of its route label; empty where it has none. */
export function routeOf(
  { metric, labels }: Pick<VerificationRow, 'metric' | 'labels'>,
  metrics: Metrics,
): string {
  const label = counterOf({ metric }, metrics)?.route;
  return (label !== undefined && labels?.[label]) || '';
}

function isIgnored(series: Series, metrics: Metrics): boolean {
  const isRouted = counterOf(series, metrics)?.route !== undefined;
  return isRouted && metrics.ignoreRoutes.includes(routeOf(series, metrics));
}

/** What each series must have grown by, and by how much more it may have grown because of requests that may have been counted or not. */
function expectations(expected: ExpectedCounts, metrics: Metrics) {
  const exact = new SeriesCounts();
  const slack = new SeriesCounts();
  for (const counter of metrics.counters) {
    for (const { answered, unknown, ...request } of expected.filter((one) => isComparable(counter, one))) {
      const seriesOf = (code?: string) => ({
        metric: counter.name,
        labels: labelsOf(counter, metrics, { ...request, code }),
      });
      const codes = Object.entries(answered);
      for (const [code, requests] of codes.filter(([code]) =>
        isCountedBy(counter, metrics, { ...request, code }),
      )) {
        // Only the route decides whether this counter has it.
        if (counter.counts === 'routed' && request.route === null) slack.add(seriesOf(), requests);
        else exact.add(seriesOf(code), requests);
      }
      if (unknown > 0 && isCountedBy(counter, metrics, request)) slack.add(seriesOf(), unknown);
    }
  }
  // An unknown request may have ended with any code, so its slack is kept without one.
  const slackOf = (series: Series) => slack.of(withoutCode(series, counterOf(series, metrics)));
  return { exact, slackOf };
}

/** Where a counter has routes, what declares none is in the pool. */
function isComparable({ route: label }: Counter, { route }: ExpectedCounts[number]): boolean {
  return route !== null || label === undefined;
}

function withoutCode({ metric, labels }: Series, counter: Counter | undefined): Series {
  const kept = Object.entries(labels).filter(([label]) => label !== counter?.code);
  return { metric, labels: Object.fromEntries(kept) };
}

/**
 * Targets that declare no series may be counted under any: what exceeds the declared ones is theirs, up to their number.
 * It is taken out of the single rows and shown as one row per metric.
 */
function withUndeclared(
  rows: VerificationRow[],
  expected: ExpectedCounts,
  metrics: Metrics,
): VerificationRow[] {
  const { answered, unknown } = totalsOf(expected.filter(({ route }) => route === null));
  const pooled = metrics.counters.filter(({ route }) => route !== undefined);
  if (answered + unknown === 0 || pooled.length === 0) return rows;
  const whole = wholeCounterOf({ ...metrics, counters: pooled });
  const kept: VerificationRow[] = [];
  const surplus = new Map(pooled.map(({ name }) => [name, 0]));
  let unmatched = 0;
  for (const row of rows) {
    const sum = surplus.get(row.metric);
    if (sum === undefined || row.difference <= 0) {
      kept.push(row);
      continue;
    }
    surplus.set(row.metric, sum + row.difference);
    if (row.metric === whole?.name && routeOf(row, metrics) === metrics.unmatched)
      unmatched += row.difference;
    if (row.atMost > 0) kept.push({ ...row, counted: row.counted - row.difference, difference: 0 });
  }
  // The range of a declared row may hold some of theirs.
  const atLeast = Math.max(0, answered - (totalsOf(expected).unknown - unknown));
  const atMost = answered + unknown;
  const wholes = surplus.get(whole?.name ?? '') ?? 0;
  // How many of them a route handled, and so counted, only a counter of all requests says. Without it their number is only bounded.
  const routed = (requests: number) => Math.max(0, requests - Math.round(unmatched));
  return [
    ...kept,
    ...pooled.map(({ name: metric, counts }) => {
      const counted = surplus.get(metric) ?? 0;
      const pool = { metric, labels: null };
      if (counts === 'all') return toRow(pool, atLeast, atMost, counted);
      if (counts === 'errors') return toRow(pool, 0, atMost, counted);
      return toRow(pool, wholes > 0 ? routed(atLeast) : 0, routed(atMost), counted);
    }),
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

function byMetricThenLabels({ counters }: Metrics) {
  // The gauge last.
  const names = counters.map(({ name }) => name);
  const orderOf = ({ metric }: VerificationRow) =>
    names.includes(metric) ? names.indexOf(metric) : names.length;
  return (a: VerificationRow, b: VerificationRow) =>
    orderOf(a) - orderOf(b) || (formatRowName(a) < formatRowName(b) ? -1 : 1);
}
