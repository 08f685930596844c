/**
 * `verify`: sends nothing. It adds up the expected counts of the runs since the API's processes started and compares the sum with
 * what Prometheus holds now. The first of those runs says what had been counted before it.
 */
import { CheckError } from '../common/errors.ts';
import type { Metrics } from '../common/metrics.ts';
import { formatCount } from '../common/units.ts';
import { sumExpectedCounts } from './expected-counts.ts';
import type { RunRecord } from './ledger.ts';
import { isSameProcess, type Snapshot } from './process.ts';
import { earliest } from './snapshot.ts';
import { unverifiable, type Verification, verify } from './verification.ts';

export interface RunsVerification {
  readonly verification: Verification;
  /** How many runs that sent something were added up. */
  readonly runs: number;
  /** What was left out. */
  readonly notes: readonly string[];
}

/**
 * @param records in any order; the instances' start times say what belongs together, Prometheus' clock says the order
 * @throws CheckError when no run belongs to the API's present processes: comparing nothing would always succeed
 */
export function verifyRuns(records: readonly RunRecord[], now: Snapshot, metrics: Metrics): RunsVerification {
  const runs = selectCurrent(records, now);
  const before = baselineOf(records, now);
  const left = records.filter(({ snapshots }) => snapshots.before !== null).length - runs.length;
  const notes =
    left === 0 ? [] : [`skipped ${formatCount(left, 'earlier run')}: the API has restarted since`];
  if (before === undefined) {
    const nothing =
      'nothing to verify: the ledger has no run since the API started; send one first (exact-load run)';
    throw new CheckError([...notes, nothing].join('\n'));
  }
  const expectedCounts = sumExpectedCounts(runs.map((run) => run.expectedCounts));
  const obstacles = runs
    .filter(({ state }) => state === 'started')
    .map(
      ({ startedAt }) =>
        `the run of ${startedAt} did not finish (killed, or still running): its requests are unknown`,
    );
  const verification =
    obstacles.length > 0
      ? unverifiable(expectedCounts, obstacles)
      : verify(before, now, expectedCounts, metrics);
  return { verification, runs: runs.filter((run) => run.expectedCounts.length > 0).length, notes };
}

/**
 * The metrics by which the runs are compared.
 * @returns undefined where none of them knew any
 * @throws CheckError when they are not the same
 */
export function metricsOf(records: readonly RunRecord[]): Metrics | undefined {
  const known = records.flatMap(({ metrics }) => (metrics?.counters.length ? [metrics] : []));
  const other = known.find((one) => JSON.stringify(one) !== JSON.stringify(known[0]));
  if (other !== undefined)
    throw new CheckError(
      'expected runs with the same metrics, got different ones; start a new ledger with --rebase',
    );
  return known[0] ?? records.flatMap(({ metrics }) => metrics ?? [])[0];
}

/**
 * What had been counted before the first of the runs that {@link verifyRuns} adds up. Runs may overlap where they are shards
 * of one; then none of them alone knows what had been counted before all.
 */
export function baselineOf(records: readonly RunRecord[], now: Snapshot): Snapshot | undefined {
  const befores = selectCurrent(records, now).flatMap(({ snapshots }) => snapshots.before ?? []);
  return befores.length === 0 ? undefined : earliest(befores);
}

/**
 * The runs of the API's present processes. One common process is enough to belong; that others have terminated is then an
 * obstacle, which names them. A run may have begun on processes that have been replaced while it sent.
 */
function selectCurrent(records: readonly RunRecord[], now: Snapshot): RunRecord[] {
  const isCurrent = (then: Snapshot | null) =>
    then?.instances.some((one) => now.instances.some((other) => isSameProcess(one, other)));
  return records.filter(
    ({ snapshots: { before, after } }) => before !== null && (isCurrent(before) || isCurrent(after)),
  );
}
