/**
 * `verify`: sends nothing. It adds up the expectedCounts of the runs since the API's processes started and compares the sum with
 * what Prometheus holds now. The first of those runs says what had been counted before it.
 */
import { randomUUID } from 'node:crypto';
import { CheckError } from '../common/errors.ts';
import { formatCount } from '../common/units.ts';
import { sumExpectedCounts } from './expected-counts.ts';
import { isSameProcess, type Snapshot } from './process.ts';
import { type Entry, RECORD_VERSION, type Rebase, type RunRecord } from './record.ts';
import { earliest } from './snapshot.ts';
import { unverifiable, type Verification, verify } from './verification.ts';

export interface RunsVerification {
  readonly verification: Verification;
  /** How many runs were added up. */
  readonly runs: number;
  /** What was left out, for the person. */
  readonly notes: readonly string[];
}

/**
 * @param entries in any order; what belongs together is told by the instances' start times, the order by Prometheus' clock
 * @throws CheckError when no run belongs to the API's present processes: comparing nothing would always succeed
 */
export function verifyRuns(entries: readonly Entry[], now: Snapshot): RunsVerification {
  const { rebase, runs, notes } = selectCurrent(entries, now);
  const before = baseline({ rebase, runs });
  if (before === undefined) {
    throw new CheckError(
      [
        ...notes,
        'nothing to verify: the ledger holds no run since the API started; send one first (loadgen run)',
      ].join('\n'),
    );
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

/** What had been counted before the first of the runs that {@link verifyRuns} adds up. */
export function baselineOf(entries: readonly Entry[], now: Snapshot): Snapshot | undefined {
  return baseline(selectCurrent(entries, now));
}

/** Runs may overlap where they are shards of one; then none of them alone knows what had been counted before all. */
function baseline({ rebase, runs }: Pick<Current, 'rebase' | 'runs'>): Snapshot | undefined {
  const snapshots = [...(rebase === undefined ? [] : [rebase.snapshot]), ...runs.flatMap(beforeOf)];
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

interface Current {
  readonly rebase: Rebase | undefined;
  readonly runs: readonly RunRecord[];
  readonly notes: readonly string[];
}

/** The entries of the API's present processes, from the last rebase on. */
function selectCurrent(entries: readonly Entry[], now: Snapshot): Current {
  const runs = entries
    .filter((entry) => entry.kind === 'loadgen-run')
    .filter((run) => run.snapshots.before !== null);
  const rebases = entries.filter((entry) => entry.kind === 'loadgen-rebase');
  const isCurrent = (snapshot: Snapshot) => sharesProcess(snapshot, now);
  // A run may have begun on processes that have been replaced while it sent.
  const current = runs.filter((run) => [...beforeOf(run), ...afterOf(run)].some(isCurrent));
  const [rebase] = rebases
    .filter(({ snapshot }) => isCurrent(snapshot))
    .sort((a, b) => b.snapshot.askedAtSeconds - a.snapshot.askedAtSeconds);
  const since = rebase?.snapshot.askedAtSeconds ?? Number.NEGATIVE_INFINITY;
  const left = runs.length - current.length;
  return {
    rebase,
    runs: current.filter((run) => beforeOf(run).some(({ askedAtSeconds }) => askedAtSeconds >= since)),
    notes: left === 0 ? [] : [`${formatCount(left, 'earlier run')} left out: the API was restarted since`],
  };
}

/** One common process is enough to belong; that others are gone is then an obstacle of the verification, which names them. */
function sharesProcess(then: Snapshot, now: Snapshot): boolean {
  return then.instances.some((instance) =>
    now.instances.some((candidate) => isSameProcess(candidate, instance)),
  );
}

function afterOf({ snapshots: { after } }: RunRecord): Snapshot[] {
  return after === null ? [] : [after];
}

function beforeOf({ snapshots: { before } }: RunRecord): Snapshot[] {
  return before === null ? [] : [before];
}
