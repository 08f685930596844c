/**
 * `verify` sends nothing. It adds up the expected counts of all runs since the API's processes started, and compares the sum with the
 * current counters in Prometheus. The snapshot of the first run has the counts before it.
 */
import { CheckError } from '../common/errors.ts';
import { sumExpectedCounts } from '../common/expected-counts.ts';
import type { Metrics } from '../common/metrics.ts';
import { formatCount } from '../common/units.ts';
import type { RunRecord } from './ledger.ts';
import { isSameProcess, type Snapshot } from './process.ts';
import { earliest } from './snapshot.ts';
import { unverifiable, type Verification, verify } from './verification.ts';

export interface RunsVerification {
  readonly verification: Verification;
  /** The number of runs that sent requests. */
  readonly runs: number;
  readonly notes: readonly string[];
}

/**
 * @param records in any order; the start times of instances show which records belong together, and Prometheus' clock shows their
 * order
 * @throws CheckError if no run belongs to the API's current processes, because comparing nothing would always succeed
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
 * The metrics of the runs.
 * @returns undefined if no run has any
 * @throws CheckError if they differ
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
 * The counts before the first of the runs that {@link verifyRuns} adds up. Shards of one run may overlap; then no single snapshot
 * was taken before all of them.
 */
export function baselineOf(records: readonly RunRecord[], now: Snapshot): Snapshot | undefined {
  const befores = selectCurrent(records, now).flatMap(({ snapshots }) => snapshots.before ?? []);
  return befores.length === 0 ? undefined : earliest(befores);
}

/**
 * The runs of the API's current processes. One common process is enough; terminated ones are then reported as an obstacle. A run
 * may have started with processes that have been replaced since.
 */
function selectCurrent(records: readonly RunRecord[], now: Snapshot): RunRecord[] {
  const isCurrent = (then: Snapshot | null) =>
    then?.instances.some((one) => now.instances.some((other) => isSameProcess(one, other)));
  return records.filter(
    ({ snapshots: { before, after } }) => before !== null && (isCurrent(before) || isCurrent(after)),
  );
}
