/**
 * The proof that every request was counted exactly once: the ledger against the differences of two readings, one row per
 * series. A series that changed and is not in the ledger gets a row too: that is how traffic of somebody else is named.
 */
import { type Ledger, ledgerTotals } from './ledger.ts';
import {
  DURATIONS,
  ERRORS,
  IN_PROGRESS,
  type InstanceReading,
  REQUESTS,
  type Reading,
  seriesName,
} from './reading.ts';

export interface ProofRow {
  readonly series: string;
  /** What the ledger says: at least the answered requests; at most those and the ones with unknown fate. */
  readonly atLeast: number;
  readonly atMost: number;
  /** By how much Prometheus' value grew; for the gauge, its value. */
  readonly counted: number;
  /** 0 inside the bounds, otherwise how far outside. */
  readonly difference: number;
}

export interface Proof {
  /** `inconclusive`: nothing contradicts the ledger, but requests with unknown fate leave more than one possibility. */
  readonly verdict: 'proved' | 'inconclusive' | 'failed' | 'impossible';
  readonly answered: number;
  readonly unknown: number;
  readonly rows: ProofRow[];
  /** For `impossible`: which instances, and why. */
  readonly obstacles: string[];
}

interface Bounds {
  atLeast: number;
  atMost: number;
}

/** @param ledger everything that was sent between the two readings */
export function prove(before: Reading, after: Reading, ledger: Ledger): Proof {
  const { answered, unknown } = ledgerTotals(ledger);
  const obstacles = findObstacles(before, after);
  if (obstacles.length > 0) return { verdict: 'impossible', answered, unknown, rows: [], obstacles };
  const rows = toRows(countedBetween(before, after), ledger);
  const failed = rows.some((row) => row.difference !== 0);
  const verdict = failed ? 'failed' : unknown > 0 ? 'inconclusive' : 'proved';
  return { verdict, answered, unknown, rows, obstacles };
}

/** Whether a later scrape can still heal it: what is missing may come, what is too much does not go away. */
export function mayHeal({ rows }: Proof): boolean {
  const wrong = rows.filter(({ difference }) => difference !== 0);
  return (
    wrong.length > 0 && wrong.every(({ series, difference }) => difference < 0 || series === IN_PROGRESS)
  );
}

/** A counter that began anew, or is gone, has lost what it had counted. */
function findObstacles(before: Reading, after: Reading): string[] {
  return before.instances.flatMap(({ instance, startTimeSeconds }) => {
    const now = after.instances.find((candidate) => candidate.instance === instance);
    if (now === undefined) return [`${instance} is gone, and what it had counted with it`];
    return now.startTimeSeconds === startTimeSeconds
      ? []
      : [`${instance} was restarted in between, so its counters began again at 0`];
  });
}

/** Growth per series over all instances. One that appeared in between began at 0. */
function countedBetween(before: Reading, after: Reading): Map<string, number> {
  const counted = new Map<string, number>();
  const add = ({ values }: InstanceReading, factor: number) => {
    for (const [series, value] of Object.entries(values)) {
      if (factor < 0 && series === IN_PROGRESS) continue;
      counted.set(series, (counted.get(series) ?? 0) + factor * value);
    }
  };
  for (const instance of after.instances) add(instance, 1);
  for (const instance of before.instances) add(instance, -1);
  return counted;
}

function toRows(counted: ReadonlyMap<string, number>, ledger: Ledger): ProofRow[] {
  const { exact, slackOf } = expectations(ledger);
  const rows: ProofRow[] = [];
  for (const series of new Set([...exact.keys(), ...counted.keys()])) {
    const atLeast = exact.get(series) ?? 0;
    const count = counted.get(series) ?? 0;
    if (atLeast === 0 && count === 0 && series !== IN_PROGRESS) continue;
    rows.push(toRow(series, { atLeast, atMost: atLeast + slackOf(series) }, count));
  }
  return withUndeclared(rows, ledger).sort(byMetricThenSeries);
}

/** What each series must have grown by, and by how much more it may have grown because of requests with unknown fate. */
function expectations(ledger: Ledger) {
  const exact = new Map<string, number>();
  const slack = new Map<string, number>();
  const add = (to: Map<string, number>, series: string, count: number) =>
    to.set(series, (to.get(series) ?? 0) + count);
  for (const { series, answered, unknown } of ledger) {
    for (const [code, count] of Object.entries(answered)) {
      if (Number(code) >= 400) add(exact, seriesName(ERRORS, { code }), count);
      if (series === null) continue;
      if (isRoute(series)) add(exact, seriesName(REQUESTS, { ...series }), count);
      add(exact, seriesName(DURATIONS, { ...series, code }), count);
    }
    add(slack, ERRORS, unknown);
    if (series !== null) {
      if (isRoute(series)) add(slack, seriesName(REQUESTS, { ...series }), unknown);
      add(slack, seriesName(DURATIONS, { ...series }), unknown);
    }
  }
  // An unknown request may have ended with any code, so the code is left out of the name under which its slack is kept.
  const slackOf = (series: string) =>
    slack.get(series.startsWith(ERRORS) ? ERRORS : series.replace(/,code="\w+"/, '')) ?? 0;
  return { exact, slackOf };
}

/** The histogram has a row for requests that no route matched; `http_requests_total` has none. */
function isRoute(series: { readonly path: string }): boolean {
  return series.path !== 'unmatched';
}

/**
 * Targets that declare no series may be counted under any: what exceeds the declared ones is theirs, up to their number.
 * It is taken out of the single rows and shown as one row per metric.
 */
function withUndeclared(rows: ProofRow[], ledger: Ledger): ProofRow[] {
  const { answered, unknown } = ledgerTotals(ledger.filter(({ series }) => series === null));
  if (answered + unknown === 0) return rows;
  const kept: ProofRow[] = [];
  const surplus = new Map([REQUESTS, DURATIONS].map((metric) => [metric, 0]));
  for (const row of rows) {
    const metric = metricOf(row.series);
    const sum = surplus.get(metric);
    if (sum === undefined || row.difference <= 0) {
      kept.push(row);
      continue;
    }
    surplus.set(metric, sum + row.difference);
    if (row.atMost > 0) kept.push({ ...row, counted: row.counted - row.difference, difference: 0 });
  }
  // Each was measured; whether a route handled it, and so counted it, only its series would have said.
  const pooled = (metric: string, atLeast: number) =>
    toRow(`${metric}{any other}`, { atLeast, atMost: answered + unknown }, surplus.get(metric) ?? 0);
  return [...kept, pooled(REQUESTS, 0), pooled(DURATIONS, answered)];
}

function toRow(series: string, { atLeast, atMost }: Bounds, counted: number): ProofRow {
  const nearest = Math.min(Math.max(counted, atLeast), atMost);
  return { series, atLeast, atMost, counted, difference: counted - nearest };
}

const METRIC_ORDER = [REQUESTS, ERRORS, DURATIONS, IN_PROGRESS];

function metricOf(series: string): string {
  return series.split('{')[0] ?? series;
}

function byMetricThenSeries(a: ProofRow, b: ProofRow): number {
  const order = METRIC_ORDER.indexOf(metricOf(a.series)) - METRIC_ORDER.indexOf(metricOf(b.series));
  return order !== 0 ? order : a.series < b.series ? -1 : 1;
}
