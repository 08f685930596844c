/**
 * Why a verification failed, where the numbers leave one explanation. Nothing here is a guess: what the numbers only suggest is
 * not mentioned.
 */

import { DIMENSIONS, type Metrics, wholeCounterOf } from '../common/metrics.ts';
import { formatCount, formatNumber } from '../common/units.ts';
import { type ExpectedCounts, totalsOf } from './expected-counts.ts';
import type { Snapshot } from './process.ts';
import { counterOf, routeOf, type VerificationRow } from './rows.ts';

interface Compared {
  readonly before: Snapshot;
  readonly after: Snapshot;
  readonly expected: ExpectedCounts;
  readonly metrics: Metrics;
  readonly rows: readonly VerificationRow[];
}

export function diagnose(compared: Compared): string[] {
  const { rows, metrics } = compared;
  const counters = rows.filter((row) => counterOf(row, metrics) !== undefined);
  const whole = findNothing(compared, counters) ?? findDoubled(counters);
  if (whole !== undefined) return [whole];
  return [
    ...counters.flatMap((row) => findMisplaced(row, counters, compared)),
    ...findUnanswered(compared, counters),
    ...findOwnScrape(compared),
  ];
}

function findNothing({ expected, metrics }: Compared, rows: readonly VerificationRow[]): string | undefined {
  if (totalsOf(expected).answered === 0 || rows.some(({ counted }) => counted !== 0)) return undefined;
  const names = metrics.counters.map(({ name }) => name).join(', ');
  return `nothing was counted at all: ${names} did not grow`;
}

function findDoubled(rows: readonly VerificationRow[]): string | undefined {
  const isDoubled = ({ atLeast, atMost, counted }: VerificationRow) =>
    atLeast === atMost && counted === 2 * atLeast;
  const isSo = rows.some(({ counted }) => counted > 0) && rows.every(isDoubled);
  return isSo ? 'every request is counted twice: is the service instrumented twice?' : undefined;
}

/** What is missing in one series is exactly what is too much in those that differ from it in one label. */
function findMisplaced(
  missing: VerificationRow,
  rows: readonly VerificationRow[],
  { expected, metrics }: Compared,
): string[] {
  const counter = counterOf(missing, metrics);
  if (missing.difference >= 0 || missing.labels === null || counter === undefined) return [];
  return DIMENSIONS.flatMap((dimension) => {
    const label = counter[dimension];
    if (label === undefined) return [];
    const found = rows.filter((row) => row.difference > 0 && isElsewhere(row, missing, label));
    const sum = found.reduce((total, { difference }) => total + difference, 0);
    const [first] = found;
    if (first === undefined || sum !== -missing.difference) return [];
    const [is, should] = [first, missing].map(({ labels }) => JSON.stringify(labels?.[label] ?? ''));
    const places =
      found.length === 1 ? `${label}=${is}` : `${found.length} values of ${label}, such as ${is},`;
    const isRaw =
      dimension === 'route' &&
      expected.some(({ path }) => found.some((row) => routeOf(row, metrics) === path));
    const unbounded = isRaw ? ': the raw URL, an unbounded label' : '';
    return [`${formatCount(sum, 'request')} counted under ${places} instead of ${should}${unbounded}`];
  });
}

function isElsewhere(row: VerificationRow, missing: VerificationRow, label: string): boolean {
  const { [label]: one, ...others } = row.labels ?? {};
  const { [label]: other, ...same } = missing.labels ?? {};
  const names = new Set([...Object.keys(others), ...Object.keys(same)]);
  return (
    row.metric === missing.metric && one !== other && [...names].every((name) => others[name] === same[name])
  );
}

/** Where all else is equal, what is above the answered requests are those without a complete answer. */
function findUnanswered({ expected, metrics }: Compared, rows: readonly VerificationRow[]): string[] {
  const { unknown } = totalsOf(expected);
  const whole = wholeCounterOf(metrics);
  const code = whole?.code;
  if (unknown === 0 || whole === undefined || code === undefined || rows.some((row) => row.difference !== 0))
    return [];
  const own = rows.filter(
    (row) => row.metric === whole.name && row.labels !== null && row.counted > row.atLeast,
  );
  const byCode = Map.groupBy(own, ({ labels }) => labels?.[code] ?? '');
  return [...byCode].map(([value, same]) => {
    const sum = same.reduce((total, { counted, atLeast }) => total + counted - atLeast, 0);
    return `${formatNumber(sum)} of the ${formatCount(unknown, 'request')} without a complete answer counted as ${value || 'none'}`;
  });
}

function findOwnScrape({ before, after, metrics: { inProgress } }: Compared): string[] {
  if (inProgress === undefined || after.instances.length === 0) return [];
  const isOneEach = [before, after].every(({ instances }) =>
    instances.every(({ values }) => values.find(({ metric }) => metric === inProgress)?.value === 1),
  );
  return isOneEach ? [`${inProgress} is 1 at every scrape: the service counts the scrape that reads it`] : [];
}
