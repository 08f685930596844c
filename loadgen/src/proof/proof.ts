/**
 * The proof that every request was counted exactly once: the tally against the differences of two readings, one row per
 * series. A series that changed and is not in the tally gets a row too: that is how other traffic is named.
 */
import { z } from 'zod';
import { formatCount, formatNumber } from '../common/units.ts';
import { formatTarget, type InstanceReading, isSameProcess, isSameTarget, type Reading } from './process.ts';
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
import { type Tally, tallyTotals } from './tally.ts';

const count = z.int().min(0);

const rowSchema = z.strictObject({
  metric: z.string(),
  labels: seriesSchema.shape.labels.nullable().meta({
    description: 'Null for the row in which all those series are pooled that no target has declared.',
  }),
  atLeast: count.meta({ description: 'What the tally says: the answered requests.' }),
  atMost: count.meta({ description: 'Those and the ones with unknown fate.' }),
  counted: z.number().meta({ description: "By how much Prometheus' value grew; for the gauge, its value." }),
  difference: z.number().meta({ description: '0 inside the bounds, otherwise how far outside.' }),
});

export const proofSchema = z.strictObject({
  verdict: z.enum(['proved', 'inconclusive', 'failed', 'impossible']).meta({
    description:
      'inconclusive: nothing contradicts the tally, but requests with unknown fate leave more than one possibility, or the gauge is missing.',
  }),
  answered: count,
  unknown: count,
  rows: z.array(rowSchema),
  obstacles: z.array(z.string()).meta({ description: 'For impossible: what is in the way, and why.' }),
  notes: z.array(z.string()).meta({ description: 'What could not be compared, and what that leaves open.' }),
});

export type ProofRow = z.output<typeof rowSchema>;
export type Proof = z.output<typeof proofSchema>;

/** The name of a row for a person. */
export function formatRowName({ metric, labels }: Pick<ProofRow, 'metric' | 'labels'>): string {
  return labels === null ? `${metric}{any other}` : formatSeries({ metric, labels });
}

/** What a proof that holds says; of targets that declare no series no more than the sum is known. */
export function formatProved({ answered, rows }: Proof): string[] {
  const requests = formatCount(answered, 'request');
  const pooled = rows.find(({ metric, labels }) => metric === DURATIONS && labels === null)?.atLeast ?? 0;
  if (answered === 0) return ['nothing was sent, and nothing counted'];
  if (pooled === 0) return [`${requests}, every one counted exactly once`];
  return [
    `${requests}, counted ${formatNumber(answered)} times in all`,
    `of ${formatNumber(pooled)} only the sum was compared: their targets declare no series`,
  ];
}

/** @param tally everything that was sent between the two readings */
export function prove(before: Reading, after: Reading, tally: Tally): Proof {
  const obstacles = findObstacles(before, after);
  if (obstacles.length > 0) return impossible(tally, obstacles);
  const { answered, unknown } = tallyTotals(tally);
  const counted = countedBetween(before, after);
  const rows = toRows(counted, tally);
  const losses = rows.some(({ difference }) => difference < 0) ? findLosses(after, counted, tally) : [];
  if (losses.length > 0) return { ...impossible(tally, losses), rows };
  const gaugeless = findGaugeless(after);
  const failed = rows.some((row) => row.difference !== 0);
  const verdict = failed ? 'failed' : unknown > 0 || gaugeless.length > 0 ? 'inconclusive' : 'proved';
  return { verdict, answered, unknown, rows, obstacles, notes: [...findAbsent(counted), ...gaugeless] };
}

/** A proof that cannot be made. */
export function impossible(tally: Tally, obstacles: string[]): Proof {
  return { verdict: 'impossible', ...tallyTotals(tally), rows: [], obstacles, notes: [] };
}

/** What a later scrape can make of a proof: what is missing may come, what is too much does not go away. */
export type Standing = 'equal' | 'missing' | 'wrong';

export function standingOf({ verdict, rows }: Proof): Standing {
  const wrong = rows.filter(({ difference }) => difference !== 0);
  if (wrong.length === 0) return verdict === 'impossible' ? 'wrong' : 'equal';
  const mayHeal = wrong.every(({ metric, difference }) => difference < 0 || metric === IN_PROGRESS);
  return mayHeal ? 'missing' : 'wrong';
}

function findAbsent(counted: SeriesCounts): string[] {
  const present = new Set(counted.seriesWith().map(({ metric }) => metric));
  return [REQUESTS, ERRORS, DURATIONS]
    .filter((metric) => !present.has(metric))
    .map((metric) => `Prometheus has no ${metric}`);
}

/** A gauge without labels is there from the start, so a process without one does not expose it, or it is dropped. */
function findGaugeless({ instances }: Reading): string[] {
  return instances
    .filter(({ values }) => !values.some(({ metric }) => metric === IN_PROGRESS))
    .map(
      ({ labels }) =>
        `Prometheus has no ${IN_PROGRESS} of ${formatTarget(labels)}: requests may still be in progress there`,
    );
}

/** A process that restarted, or is gone, has lost what it had counted, unless its last state is known. */
function findObstacles(before: Reading, after: Reading): string[] {
  const known = [...after.instances, ...(after.gone ?? [])];
  const lost = before.instances.flatMap((process) => {
    if (known.some((other) => isSameProcess(other, process))) return [];
    const name = formatTarget(process.labels);
    return after.instances.some(({ labels }) => isSameTarget(labels, process.labels))
      ? [`${name} was restarted in between, so its counters began again at 0`]
      : [`${name} is gone, and what it had counted with it`];
  });
  return [...lost, ...new Set([...before.instances, ...known].flatMap(findNoCounts))];
}

function findNoCounts({ labels, values }: InstanceReading): string[] {
  return values
    .filter(({ value }) => value === null)
    .map((series) => `${formatSeries(series)} of ${formatTarget(labels)} is not a count in Prometheus`);
}

/** Where something is missing, processes that ended without being drained may have taken it with them. */
function findLosses({ gone = [] }: Reading, counted: SeriesCounts, tally: Tally): string[] {
  const { answered, unknown } = tallyTotals(tally);
  const series = counted.seriesWith().filter(({ metric }) => metric === DURATIONS);
  const missing = answered + unknown - series.reduce((sum, one) => sum + counted.of(one), 0);
  const most = `at most ${formatCount(Math.max(missing, 0), 'request')} that it answered after its last scrape`;
  return gone
    .filter(({ isDrained }) => !isDrained)
    .map(
      ({ labels }) =>
        `${formatTarget(labels)} ended without being drained: ${most} ${missing === 1 ? 'is' : 'are'} lost`,
    );
}

/** Growth per series over all processes. One that appeared in between began at 0; one that ended stays as it was last seen. */
function countedBetween(before: Reading, after: Reading): SeriesCounts {
  const counted = new SeriesCounts();
  const add = ({ values }: InstanceReading, factor: number, withGauge: boolean) => {
    for (const { value, ...series } of values)
      if (withGauge || series.metric !== IN_PROGRESS) counted.add(series, factor * (value ?? 0));
  };
  for (const instance of after.instances) add(instance, 1, true);
  for (const instance of after.gone ?? []) add(instance, 1, instance.isDrained);
  for (const instance of before.instances) add(instance, -1, false);
  return counted;
}

function toRows(counted: SeriesCounts, tally: Tally): ProofRow[] {
  const { exact, slackOf } = expectations(tally);
  const rows = exact.seriesWith(counted).flatMap((series) => {
    const atLeast = exact.of(series);
    const isIdle = atLeast === 0 && counted.of(series) === 0 && series.metric !== IN_PROGRESS;
    return isIdle ? [] : [toRow(series, atLeast, atLeast + slackOf(series), counted.of(series))];
  });
  return withUndeclared(rows, tally).sort(byMetricThenLabels);
}

/** What each series must have grown by, and by how much more it may have grown because of requests with unknown fate. */
function expectations(tally: Tally) {
  const exact = new SeriesCounts();
  const slack = new SeriesCounts();
  for (const { series, answered, unknown } of tally) {
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
function withUndeclared(rows: ProofRow[], tally: Tally): ProofRow[] {
  const { answered, unknown } = tallyTotals(tally.filter(({ series }) => series === null));
  if (answered + unknown === 0) return rows;
  const kept: ProofRow[] = [];
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
  const atLeast = Math.max(0, answered - (tallyTotals(tally).unknown - unknown));
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
  { metric, labels }: Pick<ProofRow, 'metric' | 'labels'>,
  atLeast: number,
  atMost: number,
  counted: number,
): ProofRow {
  const nearest = Math.min(Math.max(counted, atLeast), atMost);
  return { metric, labels, atLeast, atMost, counted, difference: counted - nearest };
}

const UNMATCHED = 'unmatched';
const METRIC_ORDER = [REQUESTS, ERRORS, DURATIONS, IN_PROGRESS];

function byMetricThenLabels(a: ProofRow, b: ProofRow): number {
  const order = METRIC_ORDER.indexOf(a.metric) - METRIC_ORDER.indexOf(b.metric);
  return order !== 0 ? order : formatRowName(a) < formatRowName(b) ? -1 : 1;
}
