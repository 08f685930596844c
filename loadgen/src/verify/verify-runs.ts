/**
 * `verify`: sends nothing. It adds up the expected counts of the runs since the API's processes started and compares the sum with
 * what Prometheus holds now. The first of those runs says what had been counted before it.
 */
import { randomUUID } from 'node:crypto';
import { CheckError } from '../common/errors.ts';
import { formatCount } from '../common/units.ts';
import { sumExpectedCounts } from './expected-counts.ts';
import { isSameProcess, type Snapshot } from './process.ts';
import { type Entry, RECORD_VERSION, type Rebase } from './record.ts';
import { earliest } from './snapshot.ts';
import { unverifiable, type Verification, verify } from './verification.ts';

export interface RunsVerification {
  readonly verification: Verification;
  /** How many runs were added up. */
  readonly runs: number;
  /** What was left out. */
  readonly notes: readonly string[];
}

/**
 * @param entries in any order; the instances' start times say what belongs together, Prometheus' clock says the order
 * @throws CheckError when no run belongs to the API's present processes: comparing nothing would always succeed
 */
export function verifyRuns(entries: readonly Entry[], now: Snapshot): RunsVerification {
  const { runs, notes } = selectCurrent(entries, now);
  const before = baselineOf(entries, now);
  if (before === undefined) {
    const nothing =
      'nothing to verify: the ledger holds no run since the API started; send one first (loadgen run)';
    throw new CheckError([...notes, nothing].join('\n'));
  }
  const expectedCounts = sumExpectedCounts(runs.map((run) => run.expectedCounts));
  const obstacles = runs
    .filter(({ state }) => state === 'started')
    .map(
      ({ startedAt }) =>
        `the run of ${startedAt} did not end (killed, or still running): what it sent is not known`,
    );
  const verification =
    obstacles.length > 0 ? unverifiable(expectedCounts, obstacles) : verify(before, now, expectedCounts);
  return { verification, runs: runs.length, notes };
}

/**
 * What had been counted before the first of the runs that {@link verifyRuns} adds up. Runs may overlap where they are shards
 * of one; then none of them alone knows what had been counted before all.
 */
export function baselineOf(entries: readonly Entry[], now: Snapshot): Snapshot | undefined {
  const { rebase, runs } = selectCurrent(entries, now);
  const snapshots = [...(rebase === undefined ? [] : [rebase.snapshot]), ...runs.map(({ before }) => before)];
  return snapshots.length === 0 ? undefined : earliest(snapshots);
}

/** A mark after which earlier runs, and whatever else was counted, no longer matter. */
export function createRebase(snapshot: Snapshot): Rebase {
  return {
    kind: 'loadgen-rebase',
    version: RECORD_VERSION,
    id: randomUUID(),
    startedAt: new Date().toISOString(),
    snapshot,
  };
}

/** The entries of the API's present processes, from the last rebase on. */
function selectCurrent(entries: readonly Entry[], now: Snapshot) {
  const runs = entries
    .filter((entry) => entry.kind === 'loadgen-run')
    .flatMap(({ snapshots: { before, after }, ...run }) =>
      before === null ? [] : [{ ...run, before, after }],
    );
  // One common process is enough to belong; that others have terminated is then an obstacle, which names them.
  const isCurrent = (then: Snapshot | null) =>
    then?.instances.some((one) => now.instances.some((other) => isSameProcess(one, other)));
  // A run may have begun on processes that have been replaced while it sent.
  const current = runs.filter(({ before, after }) => isCurrent(before) || isCurrent(after));
  const [rebase] = entries
    .filter((entry) => entry.kind === 'loadgen-rebase')
    .filter(({ snapshot }) => isCurrent(snapshot))
    .sort((a, b) => b.snapshot.askedAtSeconds - a.snapshot.askedAtSeconds);
  const since = rebase?.snapshot.askedAtSeconds ?? Number.NEGATIVE_INFINITY;
  const left = runs.length - current.length;
  return {
    rebase,
    runs: current.filter(({ before }) => before.askedAtSeconds >= since),
    notes: left === 0 ? [] : [`${formatCount(left, 'earlier run')} left out: the API was restarted since`],
  };
}
