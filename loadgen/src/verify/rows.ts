/** The rows of a verification: the expected and the actual increase of each series. */
import { z } from 'zod';
import { type ExpectedCounts, totalsOf } from '../common/expected-counts.ts';
import {
  type Counted,
  type Counter,
  isCountedBy,
  labelsOf,
  type Metrics,
  ownLabelsOf,
  wholeCounterOf,
} from '../common/metrics.ts';
import { sumOf } from '../common/sums.ts';
import { formatSeries, type Series, SeriesCounts, seriesSchema } from './series.ts';

const count = z.int().min(0);

export const rowSchema = z.strictObject({
  ...seriesSchema.shape,
  atLeast: count.meta({ description: 'The answered requests.' }),
  atMost: count.meta({ description: 'The answered requests, plus those that may have been counted.' }),
  counted: z
    .number()
    .meta({ description: 'The increase of the counter in Prometheus; for the gauge, its value.' }),
  difference: z
    .number()
    .meta({ description: '0 if counted is within the bounds, otherwise the distance to the nearest one.' }),
});

export type VerificationRow = z.output<typeof rowSchema>;

export function toRows(counted: SeriesCounts, expected: ExpectedCounts, metrics: Metrics): VerificationRow[] {
  const compared = comparedBy(expected, metrics);
  const grown = pool(counted, metrics, compared);
  const isLeftOut = (request: Counted, { name: metric }: Counter) => {
    const counter = counterOf({ metric }, metrics);
    return (
      counter !== undefined && isIgnored({ metric, labels: labelsOf(counter, metrics, request) }, metrics)
    );
  };
  const { exact, slack } = expectations(expected, compared, countUnmatched(counted, metrics), isLeftOut);
  const rows = exact
    .seriesWith(grown)
    .filter(
      (series) => exact.of(series) !== 0 || grown.of(series) !== 0 || series.metric === compared.inProgress,
    )
    .sort(byMetricThenLabels(metrics));
  return rows.map((series) => {
    const atLeast = exact.of(series);
    const own = withoutCode(series, counterOf(series, compared));
    const row = toRow(series, atLeast, atLeast + slack.of(own), grown.of(series));
    // A request with unknown outcome may have any code, but is counted at most once.
    slack.add(own, -Math.max(0, Math.min(row.counted, row.atMost) - atLeast));
    return row;
  });
}

export function counterOf({ metric }: Pick<Series, 'metric'>, { counters }: Metrics): Counter | undefined {
  return counters.find(({ name }) => name === metric);
}

/** The value of the series' route label; empty if it has none. */
export function routeOf(series: Series, metrics: Metrics): string {
  const label = counterOf(series, metrics)?.route;
  return (label !== undefined && series.labels[label]) || '';
}

export function isIgnored(series: Series, metrics: Metrics): boolean {
  const isRouted = counterOf(series, metrics)?.route !== undefined;
  return isRouted && metrics.ignoreRoutes.includes(routeOf(series, metrics));
}

/**
 * Requests to targets that declare no route may be counted under any route. If there are any, all requests are compared without
 * routes.
 */
function comparedBy(expected: ExpectedCounts, metrics: Metrics): Metrics {
  if (expected.every(({ route }) => route !== null)) return metrics;
  return { ...metrics, counters: metrics.counters.map(({ route, ...counter }) => counter) };
}

/** Removes the series of ignored routes, and sums over labels that are not compared. */
function pool(counted: SeriesCounts, metrics: Metrics, compared: Metrics): SeriesCounts {
  const pooled = new SeriesCounts();
  for (const series of counted.seriesWith()) {
    if (isIgnored(series, metrics)) continue;
    const counter = counterOf(series, compared);
    const labels = counter === undefined ? series.labels : ownLabelsOf(counter, series.labels);
    pooled.add({ metric: series.metric, labels }, counted.of(series));
  }
  return pooled;
}

/** The number of requests that matched no route, by method in the service's spelling. Undefined if no counter has this number. */
function countUnmatched(counted: SeriesCounts, metrics: Metrics): ((method: string) => number) | undefined {
  const whole = wholeCounterOf(metrics);
  const { route, method: label } = whole ?? {};
  if (route === undefined || label === undefined) return undefined;
  const own = counted
    .seriesWith()
    .filter((series) => series.metric === whole?.name && routeOf(series, metrics) === metrics.unmatched);
  return (method) => sumOf(own, (series) => (series.labels[label] === method ? counted.of(series) : 0));
}

/** The expected increase of each series, and the possible additional increase by requests that may or may not have been counted. */
function expectations(
  expected: ExpectedCounts,
  metrics: Metrics,
  unmatchedOf: ((method: string) => number) | undefined,
  isLeftOut: (request: Counted, counter: Counter) => boolean,
) {
  const exact = new SeriesCounts();
  const slack = new SeriesCounts();
  for (const counter of metrics.counters) {
    const own = expected.filter((one) => one.route === null || !isLeftOut(one, counter));
    for (const { answered, unknown, ...request } of own) {
      const seriesOf = (code?: string) => ({
        metric: counter.name,
        labels: labelsOf(counter, metrics, { ...request, code }),
      });
      for (const [code, requests] of Object.entries(answered))
        if (isCountedBy(counter, metrics, { ...request, code })) exact.add(seriesOf(code), requests);
      if (unknown > 0 && isCountedBy(counter, metrics, request)) slack.add(seriesOf(), unknown);
    }
    if (counter.counts === 'routed') takeOutUnrouted(counter, exact, slack, expected, metrics, unmatchedOf);
  }
  return { exact, slack };
}

/** Requests that declare no route and matched none are not in a counter of requests with a route. */
function takeOutUnrouted(
  counter: Counter,
  exact: SeriesCounts,
  slack: SeriesCounts,
  expected: ExpectedCounts,
  metrics: Metrics,
  unmatchedOf: ((method: string) => number) | undefined,
): void {
  const undeclared = expected.filter(({ route }) => route === null);
  for (const [method, same] of Map.groupBy(undeclared, (one) => one.method.toUpperCase())) {
    const request = { route: null, method };
    const isDeclared = ({ route, method: other }: ExpectedCounts[number]) =>
      (route === '' || route === metrics.unmatched) && other.toUpperCase() === method;
    const { label = '' } = labelsOf({ ...counter, method: 'label' }, metrics, request);
    const declared = totalsOf(expected.filter(isDeclared)).answered;
    const { answered } = totalsOf(same);
    const unrouted = unmatchedOf === undefined ? answered : unmatchedOf(label) - declared;
    const out = Math.min(answered, Math.max(0, unrouted));
    const series = { metric: counter.name, labels: labelsOf(counter, metrics, request) };
    exact.add(series, -out);
    if (unmatchedOf === undefined) slack.add(series, out);
  }
}

function withoutCode({ metric, labels }: Series, counter: Counter | undefined): Series {
  const kept = Object.entries(labels).filter(([label]) => label !== counter?.code);
  return { metric, labels: Object.fromEntries(kept) };
}

function toRow(series: Series, atLeast: number, atMost: number, counted: number): VerificationRow {
  const nearest = Math.min(Math.max(counted, atLeast), atMost);
  return { ...series, atLeast, atMost, counted, difference: counted - nearest };
}

function byMetricThenLabels({ counters }: Metrics) {
  // Puts the gauge last.
  const names = counters.map(({ name }) => name);
  const orderOf = ({ metric }: Series) => (names.includes(metric) ? names.indexOf(metric) : names.length);
  return (a: Series, b: Series) => orderOf(a) - orderOf(b) || (formatSeries(a) < formatSeries(b) ? -1 : 1);
}
