/**
 * Explains why a verification failed, if the numbers allow only one explanation. Does not guess: explanations that the numbers merely
 * suggest are omitted.
 */

import { type ExpectedCounts, totalsOf } from '../common/expected-counts.ts';
import { DIMENSIONS, labelsOf, type Metrics, wholeCounterOf } from '../common/metrics.ts';
import { sumOf } from '../common/sums.ts';
import { formatCount, formatNumber } from '../common/units.ts';
import { formatTarget, type InstanceSnapshot, isSameTarget, type Snapshot } from './process.ts';
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
  const whole = findNothing(compared, counters) ?? findDoubled(compared, counters);
  if (whole !== undefined) return [whole];
  return [
    ...metrics.counters.flatMap(({ name }) =>
      findMisplaced(
        counters.filter(({ metric }) => metric === name),
        compared,
      ),
    ),
    ...findUnanswered(compared, counters),
  ];
}

function findNothing({ expected, metrics }: Compared, rows: readonly VerificationRow[]): string | undefined {
  const hasIgnored = metrics.ignoreRoutes.length > 0;
  if (hasIgnored || totalsOf(expected).answered === 0 || rows.some(({ counted }) => counted !== 0))
    return undefined;
  const names = metrics.counters.map(({ name }) => name).join(', ');
  return `no request was counted: ${names} did not increase`;
}

function findDoubled({ before, after }: Compared, rows: readonly VerificationRow[]): string | undefined {
  const isDoubled = ({ atLeast, atMost, counted }: VerificationRow) =>
    atLeast === atMost && counted === 2 * atLeast;
  if (!rows.some(({ atLeast }) => atLeast > 1) || !rows.every(isDoubled)) return undefined;
  const twins = findTwins(before, after);
  return `every series increased by twice the number of requests: ${twins ?? 'is the service instrumented twice?'}`;
}

/** Two targets with identical counts, before and after. */
function findTwins(before: Snapshot, after: Snapshot): string | undefined {
  const stateOf = (snapshot: Snapshot, { labels }: InstanceSnapshot) =>
    JSON.stringify(snapshot.instances.find((one) => isSameTarget(one.labels, labels))?.values);
  const isTwin = (one: InstanceSnapshot, other: InstanceSnapshot) =>
    one.startTimeSeconds === other.startTimeSeconds &&
    [before, after].every((snapshot) => stateOf(snapshot, one) === stateOf(snapshot, other));
  const pairs = after.instances.flatMap((one, n) =>
    after.instances.slice(n + 1).flatMap((other) => (isTwin(one, other) ? [[one, other] as const] : [])),
  );
  const [pair] = pairs;
  return (
    pair &&
    `${pair.map(({ labels }) => formatTarget(labels)).join(' and ')} have identical counts, like one process that is scraped as two targets`
  );
}

/** Requests that are missing from one series and appear in series that differ from it in one label. */
function findMisplaced(rows: readonly VerificationRow[], { expected, metrics }: Compared): string[] {
  const found = rows.filter(({ difference }) => difference > 0);
  const [missing, ...others] = rows.filter(({ difference }) => difference < 0);
  const [first] = found;
  const counter = missing && counterOf(missing, metrics);
  const sum = sumOf(found, ({ difference }) => difference);
  if (!counter || first === undefined || others.length > 0 || sum !== -missing.difference) return [];
  return DIMENSIONS.flatMap((dimension) => {
    const label = counter[dimension];
    if (label === undefined || !found.every((row) => isElsewhere(row, missing, label))) return [];
    const [is, should] = [first, missing].map(({ labels }) => JSON.stringify(labels[label] ?? ''));
    const places =
      found.length === 1 ? `${label}=${is}` : `${found.length} values of ${label} (for example ${is})`;
    const paths = expected.filter(
      (one) => labelsOf(counter, metrics, one)[counter.route ?? ''] === missing.labels[counter.route ?? ''],
    );
    const isRaw =
      dimension === 'route' && paths.some(({ path }) => found.some((row) => routeOf(row, metrics) === path));
    const unbounded = isRaw ? ': the raw URL, an unbounded label' : '';
    return [`${formatCount(sum, 'request')} counted under ${places} instead of ${should}${unbounded}`];
  });
}

function isElsewhere(row: VerificationRow, missing: VerificationRow, label: string): boolean {
  const { [label]: one, ...others } = row.labels;
  const { [label]: other, ...same } = missing.labels;
  const names = new Set([...Object.keys(others), ...Object.keys(same)]);
  return one !== other && [...names].every((name) => others[name] === same[name]);
}

/** If all other series match, the surplus over the answered requests are requests without a complete response. */
function findUnanswered({ expected, metrics }: Compared, rows: readonly VerificationRow[]): string[] {
  const { unknown } = totalsOf(expected);
  const whole = wholeCounterOf(metrics);
  const code = whole?.code;
  if (unknown === 0 || code === undefined || rows.some((row) => row.difference !== 0)) return [];
  const own = rows.filter((row) => row.metric === whole?.name && row.counted > row.atLeast);
  const byCode = Map.groupBy(own, ({ labels }) => labels[code] ?? '');
  return [...byCode].map(([value, same]) => {
    const sum = sumOf(same, ({ counted, atLeast }) => counted - atLeast);
    return `${formatNumber(sum)} of the ${formatCount(unknown, 'request')} without a complete response were counted as ${value || 'none'}`;
  });
}
