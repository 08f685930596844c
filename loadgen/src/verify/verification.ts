/**
 * The verification that every request was counted exactly once: the expected counts against the differences of two snapshots, one row per
 * series. A series that changed and has no expected count gets a row too: that is how other traffic is named.
 */
import { z } from 'zod';
import { formatCount, formatNumber } from '../common/units.ts';
import { type ExpectedCounts, totalsOf } from './expected-counts.ts';
import {
  formatTarget,
  type InstanceSnapshot,
  isSameProcess,
  isSameTarget,
  type Snapshot,
} from './process.ts';
import { rowSchema, toRows } from './rows.ts';
import { DURATIONS, ERRORS, formatSeries, IN_PROGRESS, REQUESTS, SeriesCounts } from './series.ts';

const count = z.int().min(0);

export const verificationSchema = z.strictObject({
  verdict: z.enum(['verified', 'inconclusive', 'failed', 'unverifiable']).meta({
    description:
      'inconclusive: nothing contradicts the expected counts, but requests of which it is unknown whether they were counted leave more than one possibility, or the gauge is missing.',
  }),
  answered: count,
  unknown: count,
  rows: z.array(rowSchema),
  obstacles: z.array(z.string()).meta({ description: 'For unverifiable: what is in the way, and why.' }),
  notes: z.array(z.string()).meta({ description: 'What could not be compared, and what that leaves open.' }),
});

export type Verification = z.output<typeof verificationSchema>;

/** @param expected everything that was sent between the two snapshots */
export function verify(before: Snapshot, after: Snapshot, expected: ExpectedCounts): Verification {
  const obstacles = findObstacles(before, after);
  if (obstacles.length > 0) return unverifiable(expected, obstacles);
  const { answered, unknown } = totalsOf(expected);
  const counted = countedBetween(before, after);
  const rows = toRows(counted, expected);
  const gaugeless = findGaugeless(after);
  const notes = [...findAbsent(after), ...gaugeless];
  const missing = rows.some(({ difference }) => difference < 0) ? findLosses(after, counted, expected) : [];
  const losses = [...missing, ...findFallen(before, after)];
  if (losses.length > 0) return { ...unverifiable(expected, losses), rows, notes };
  const failed = rows.some((row) => row.difference !== 0);
  const verdict = failed ? 'failed' : unknown > 0 || gaugeless.length > 0 ? 'inconclusive' : 'verified';
  return { verdict, answered, unknown, rows, obstacles, notes };
}

/** A verification that cannot be made. */
export function unverifiable(expected: ExpectedCounts, obstacles: string[]): Verification {
  return { verdict: 'unverifiable', ...totalsOf(expected), rows: [], obstacles, notes: [] };
}

/** What a later scrape can make of a verification: what is missing may come, what is too much does not go away. */
export type Standing = 'equal' | 'missing' | 'wrong';

export function standingOf({ verdict, rows }: Verification): Standing {
  const wrong = rows.filter(({ difference }) => difference !== 0);
  if (wrong.length === 0) return verdict === 'unverifiable' ? 'wrong' : 'equal';
  const mayHeal = wrong.every(({ metric, difference }) => difference < 0 || metric === IN_PROGRESS);
  return mayHeal ? 'missing' : 'wrong';
}

function findAbsent({ instances, terminated = [] }: Snapshot): string[] {
  const present = new Set(
    [...instances, ...terminated].flatMap(({ values }) => values.map(({ metric }) => metric)),
  );
  return [REQUESTS, ERRORS, DURATIONS]
    .filter((metric) => !present.has(metric))
    .map((metric) => `Prometheus has no ${metric}`);
}

/** A gauge without labels is there from the start, so a process without one does not expose it, or it is dropped. */
function findGaugeless({ instances }: Snapshot): string[] {
  return instances
    .filter(({ values }) => !values.some(({ metric }) => metric === IN_PROGRESS))
    .map(
      ({ labels }) =>
        `Prometheus has no ${IN_PROGRESS} of ${formatTarget(labels)}: requests may still be in progress there`,
    );
}

/** A process that restarted, or is gone, has lost what it had counted, unless its last state is known. */
function findObstacles(before: Snapshot, after: Snapshot): string[] {
  const known = [...after.instances, ...(after.terminated ?? [])];
  const lost = before.instances.flatMap((process) => {
    if (known.some((other) => isSameProcess(other, process))) return [];
    const name = formatTarget(process.labels);
    return after.instances.some(({ labels }) => isSameTarget(labels, process.labels))
      ? [`${name} was restarted in between, so its counters began again at 0`]
      : [`${name} has terminated, and what it had counted is lost`];
  });
  return [...lost, ...new Set([...before.instances, ...known].flatMap(findNoCounts))];
}

function findNoCounts({ labels, values }: InstanceSnapshot): string[] {
  return values
    .filter(({ value }) => value === null)
    .map((series) => `${formatSeries(series)} of ${formatTarget(labels)} is not a count in Prometheus`);
}

/** A counter of a process only grows: the sum would hide one that fell behind another that grew too much. */
function findFallen(before: Snapshot, after: Snapshot): string[] {
  return before.instances.flatMap((process) => {
    const grown = new SeriesCounts();
    for (const later of [...after.instances, ...(after.terminated ?? [])])
      if (isSameProcess(later, process)) addTo(grown, later, 1, false);
    addTo(grown, process, -1, false);
    return grown
      .seriesWith()
      .filter((series) => grown.of(series) < 0)
      .map((series) => {
        const less = `${formatNumber(-grown.of(series))} less than before, without a restart`;
        return `${formatSeries(series)} of ${formatTarget(process.labels)} is ${less}`;
      });
  });
}

/** Where something is missing, processes that ended without being drained may have taken it with them. */
function findLosses(
  { terminated = [] }: Snapshot,
  counted: SeriesCounts,
  expected: ExpectedCounts,
): string[] {
  const { answered, unknown } = totalsOf(expected);
  const series = counted.seriesWith().filter(({ metric }) => metric === DURATIONS);
  const missing = answered + unknown - series.reduce((sum, one) => sum + counted.of(one), 0);
  const most = `at most ${formatCount(Math.max(missing, 0), 'request')} that it answered after its last scrape`;
  return terminated
    .filter(({ isDrained }) => !isDrained)
    .map(
      ({ labels }) =>
        `${formatTarget(labels)} ended without being drained: ${most} ${missing === 1 ? 'is' : 'are'} lost`,
    );
}

/** Growth per series over all processes. One that appeared in between began at 0; one that ended stays as it was last seen. */
function countedBetween(before: Snapshot, after: Snapshot): SeriesCounts {
  const counted = new SeriesCounts();
  for (const instance of after.instances) addTo(counted, instance, 1, true);
  for (const instance of after.terminated ?? []) addTo(counted, instance, 1, instance.isDrained);
  for (const instance of before.instances) addTo(counted, instance, -1, false);
  return counted;
}

function addTo(counts: SeriesCounts, { values }: InstanceSnapshot, factor: number, withGauge: boolean): void {
  for (const { value, ...series } of values)
    if (withGauge || series.metric !== IN_PROGRESS) counts.add(series, factor * (value ?? 0));
}
