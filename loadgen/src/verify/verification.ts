/**
 * Verifies that every request was counted exactly once: compares the expected counts with the difference of two snapshots, one row
 * per series. A series that changed without an expected count also gets a row, which reveals other traffic.
 */
import { z } from 'zod';
import { type ExpectedCounts, totalsOf } from '../common/expected-counts.ts';
import { isByTarget, type Metrics, weaknessesOf, wholeCounterOf } from '../common/metrics.ts';
import { formatCount, formatNumber } from '../common/units.ts';
import { diagnose } from './diagnoses.ts';
import {
  formatTarget,
  type InstanceSnapshot,
  isSameProcess,
  isSameTarget,
  type Snapshot,
} from './process.ts';
import { counterOf, isIgnored, rowSchema, toRows, type VerificationRow } from './rows.ts';
import { formatSeries, SeriesCounts } from './series.ts';

const count = z.int().min(0);

export const verificationSchema = z.strictObject({
  verdict: z.enum(['verified', 'inconclusive', 'failed', 'unverifiable']).meta({
    description:
      'inconclusive: nothing contradicts the expected counts, but it is unknown whether some requests were counted, or the gauge is missing.',
  }),
  answered: count,
  unknown: count,
  rows: z.array(rowSchema),
  inProgress: z.string().optional().meta({ description: 'The name of the gauge among the rows.' }),
  compared: count
    .optional()
    .meta({ description: 'Answered requests that at least one compared counter contains.' }),
  undeclared: count.optional().meta({ description: 'Answered requests of targets that declare no route.' }),
  obstacles: z.array(z.string()).meta({ description: 'For unverifiable: the reasons.' }),
  notes: z
    .array(z.string())
    .meta({ description: 'What could not be compared, and what that leaves undetected.' }),
});

export type Verification = z.output<typeof verificationSchema>;

/** @param expected the requests that were sent between the two snapshots */
export function verify(
  before: Snapshot,
  after: Snapshot,
  expected: ExpectedCounts,
  metrics: Metrics,
): Verification {
  const obstacles = [...findObstacles(before, after), ...findUnlabelled(before, after, metrics)];
  if (obstacles.length > 0) return unverifiable(expected, obstacles);
  const { answered, unknown } = totalsOf(expected);
  const counted = countedBetween(before, after, metrics);
  const rows = toRows(counted, expected, metrics);
  const gaugeless = findGaugeless(before, after, metrics);
  const notes = [...findAbsent(after, metrics), ...gaugeless, ...describeIgnored(counted, metrics)];
  const missing = rows.some(({ difference }) => difference < 0)
    ? findLosses(after, counted, expected, metrics)
    : [];
  const compared = Math.min(answered, countCompared(rows, metrics));
  const uncompared =
    answered > 0 && compared === 0
      ? [
          'no compared counter contains these requests: declare their route (--route, series), or use another mapping',
        ]
      : [];
  const losses = [...missing, ...findFallen(before, after, metrics), ...uncompared];
  if (losses.length > 0) return { ...unverifiable(expected, losses), rows, notes };
  const failed = rows.some((row) => row.difference !== 0);
  const verdict = failed ? 'failed' : unknown > 0 || gaugeless.length > 0 ? 'inconclusive' : 'verified';
  const explained = verdict === 'verified' ? [] : diagnose({ before, after, expected, metrics, rows });
  const weaknesses = failed ? [] : weaknessesOf(metrics);
  return {
    ...{ verdict, answered, unknown, rows, obstacles, inProgress: metrics.inProgress },
    compared,
    undeclared: metrics.counters.some(({ route }) => route !== undefined)
      ? totalsOf(expected.filter(({ route }) => route === null)).answered
      : 0,
    notes: [...notes, ...explained, ...weaknesses],
  };
}

export function unverifiable(expected: ExpectedCounts, obstacles: string[]): Verification {
  return { verdict: 'unverifiable', ...totalsOf(expected), rows: [], obstacles, notes: [] };
}

/** How a later scrape can change a verification: missing counts may appear, but a surplus does not disappear. */
export type Standing = 'equal' | 'missing' | 'wrong';

export function standingOf({ verdict, rows }: Verification, { inProgress }: Metrics): Standing {
  const wrong = rows.filter(({ difference }) => difference !== 0);
  if (wrong.length === 0) return verdict === 'unverifiable' ? 'wrong' : 'equal';
  const mayHeal = wrong.every(({ metric, difference }) => difference < 0 || metric === inProgress);
  return mayHeal ? 'missing' : 'wrong';
}

function findAbsent({ instances, terminated = [] }: Snapshot, { counters }: Metrics): string[] {
  const present = new Set(
    [...instances, ...terminated].flatMap(({ values }) => values.map(({ metric }) => metric)),
  );
  return counters.filter(({ name }) => !present.has(name)).map(({ name }) => `Prometheus has no ${name}`);
}

/** Processes that have counted requests since the first snapshot, but whose gauge is not exposed, or is dropped. */
function findGaugeless(before: Snapshot, after: Snapshot, { inProgress }: Metrics): string[] {
  if (inProgress === undefined) return [];
  const stateOf = ({ values }: Pick<InstanceSnapshot, 'values'>) => JSON.stringify(values);
  return after.instances
    .filter(({ values }) => !values.some(({ metric }) => metric === inProgress))
    .filter((process) => {
      const earlier = before.instances.find((other) => isSameProcess(other, process));
      return earlier === undefined || stateOf(earlier) !== stateOf(process);
    })
    .map(
      ({ labels }) =>
        `Prometheus has no ${inProgress} of ${formatTarget(labels)}: requests may still be in progress there`,
    );
}

/** Labels of the mapping that no sample has: without such a label, requests counted under a wrong value would go undetected. */
function findUnlabelled(before: Snapshot, after: Snapshot, { counters, unmatched }: Metrics): string[] {
  const values = [...before.instances, ...after.instances].flatMap((instance) => instance.values);
  return counters.flatMap((counter) => {
    const own = values.filter(({ metric }) => metric === counter.name);
    // A request without a route may be counted without the label.
    const labels = [unmatched === '' ? undefined : counter.route, counter.method, counter.code];
    return labels
      .filter((label) => label !== undefined && own.length > 0 && !own.some((one) => label in one.labels))
      .map(
        (label) =>
          `no sample of ${counter.name} in Prometheus has the label ${label}: does relabelling drop it?`,
      );
  });
}

/** A process that restarted or terminated has lost its counts, unless its last values are known. */
function findObstacles(before: Snapshot, after: Snapshot): string[] {
  const known = [...after.instances, ...(after.terminated ?? [])];
  const fallen = after.instances.filter(({ hasFallen }) => hasFallen);
  const lost = before.instances.flatMap((process) => {
    const isFallen = fallen.some((other) => isSameProcess(other, process));
    if (!isFallen && known.some((other) => isSameProcess(other, process))) return [];
    const name = formatTarget(process.labels);
    return after.instances.some(({ labels }) => isSameTarget(labels, process.labels))
      ? [`${name} restarted in between, so its counters started again at 0`]
      : [`${name} terminated, and its counts are lost`];
  });
  return [...lost, ...new Set([...before.instances, ...known].flatMap(findNoCounts))];
}

/**
 * The number of requests with a response that are compared with at least one counter: a row with no expected count compares
 * nothing.
 */
function countCompared(rows: readonly VerificationRow[], { counters }: Metrics): number {
  const sums = counters
    .filter(({ counts }) => counts !== 'errors')
    .map(({ name }) => rows.reduce((sum, row) => sum + (row.metric === name ? row.atLeast : 0), 0));
  return Math.max(0, ...sums);
}

function describeIgnored(counted: SeriesCounts, metrics: Metrics): string[] {
  const ignored = counted
    .seriesWith()
    .filter((series) => isIgnored(series, metrics) && counted.of(series) > 0);
  return ignored.map(
    (series) => `${formatSeries(series)}: ${formatNumber(counted.of(series))} more, not compared`,
  );
}

function findNoCounts({ labels, values }: InstanceSnapshot): string[] {
  return values
    .filter(({ value }) => value === null)
    .map((series) => `${formatSeries(series)} of ${formatTarget(labels)} is not a valid count in Prometheus`);
}

/** Counters of a process never decrease. A sum could hide a decrease in one process behind a surplus in another. */
function findFallen(before: Snapshot, after: Snapshot, metrics: Metrics): string[] {
  return before.instances.flatMap((process) => {
    const grown = new SeriesCounts();
    for (const later of [...after.instances, ...(after.terminated ?? [])])
      if (isSameProcess(later, process)) addTo(grown, later, 1, metrics);
    addTo(grown, process, -1, metrics);
    return grown
      .seriesWith()
      .filter((series) => grown.of(series) < 0)
      .map((series) => {
        const why = isByTarget(metrics) ? ': restarted, or no longer exposed' : ', without a restart';
        const less = `${formatNumber(-grown.of(series))} less than before${why}`;
        return `${formatSeries(series)} of ${formatTarget(process.labels)} is ${less}`;
      });
  });
}

/** If requests are missing, processes that ended without being drained may have lost them. */
function findLosses(
  { terminated = [] }: Snapshot,
  counted: SeriesCounts,
  expected: ExpectedCounts,
  metrics: Metrics,
): string[] {
  const whole = wholeCounterOf(metrics);
  const { answered, unknown } = totalsOf(expected);
  const series = counted.seriesWith().filter(({ metric }) => metric === whole?.name);
  const missing = answered + unknown - series.reduce((sum, one) => sum + counted.of(one), 0);
  const requests = whole === undefined ? 'the requests' : formatCount(Math.max(missing, 0), 'request');
  const most = `at most ${requests} that it answered after its last scrape`;
  return terminated
    .filter(({ isDrained }) => !isDrained)
    .map(
      ({ labels }) =>
        `${formatTarget(labels)} ended without being drained: ${most} ${missing === 1 ? 'is' : 'are'} lost`,
    );
}

/** The increase per series, over all processes. Processes that appeared in between started at 0; terminated ones keep their last values. */
export function countedBetween(before: Snapshot, after: Snapshot, metrics: Metrics): SeriesCounts {
  const counted = new SeriesCounts();
  const { inProgress: gauge } = metrics;
  for (const instance of after.instances) addTo(counted, instance, 1, metrics, gauge);
  for (const instance of after.terminated ?? [])
    addTo(counted, instance, 1, metrics, instance.isDrained ? gauge : undefined);
  for (const instance of before.instances) addTo(counted, instance, -1, metrics);
  return counted;
}

/** @param gauge a gauge to include */
function addTo(
  counts: SeriesCounts,
  { values }: InstanceSnapshot,
  factor: number,
  metrics: Metrics,
  gauge?: string,
): void {
  for (const { value, ...series } of values)
    if (series.metric === gauge || counterOf(series, metrics) !== undefined)
      counts.add(series, factor * (value ?? 0));
}
