/**
 * `verify`: sends nothing. It adds up the tallies of the runs since the API's processes started and compares the sum with
 * what Prometheus holds now. The first of those runs says what had been counted before it.
 */
import { randomUUID } from 'node:crypto';
import { CheckError } from '../common/errors.ts';
import { formatCount } from '../common/units.ts';
import { isSameProcess, type Reading } from './process.ts';
import { impossible, type Proof, prove } from './proof.ts';
import { earliest } from './reading.ts';
import { type Entry, RECORD_VERSION, type Rebase, type RunRecord } from './record.ts';
import { sumTallies } from './tally.ts';

export interface Verification {
  readonly proof: Proof;
  /** How many runs were added up. */
  readonly runs: number;
  /** What was left out, for the person. */
  readonly notes: readonly string[];
}

/**
 * @param entries in any order; what belongs together is told by the instances' start times, the order by Prometheus' clock
 * @throws CheckError when no run belongs to the API's present processes: comparing nothing would always succeed
 */
export function verify(entries: readonly Entry[], now: Reading): Verification {
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
  const tally = sumTallies(runs.map((run) => run.tally));
  const obstacles = runs
    .filter(({ state }) => state === 'started')
    .map(
      ({ startedAt }) =>
        `the run of ${startedAt} did not end (killed, or still running): what it sent is not known`,
    );
  const proof = obstacles.length > 0 ? impossible(tally, obstacles) : prove(before, now, tally);
  return { proof, runs: runs.length, notes };
}

/** What had been counted before the first of the runs that {@link verify} adds up. */
export function baselineOf(entries: readonly Entry[], now: Reading): Reading | undefined {
  return baseline(selectCurrent(entries, now));
}

/** Runs may overlap where they are shards of one; then none of them alone knows what had been counted before all. */
function baseline({ rebase, runs }: Pick<Current, 'rebase' | 'runs'>): Reading | undefined {
  const readings = [...(rebase === undefined ? [] : [rebase.reading]), ...runs.flatMap(beforeOf)];
  return readings.length === 0 ? undefined : earliest(readings);
}

/** A mark after which earlier runs, and whatever else was counted, no longer matter. */
export function createRebase(reading: Reading): Rebase {
  return {
    kind: 'loadgen-rebase',
    version: RECORD_VERSION,
    id: randomUUID(),
    startedAt: new Date().toISOString(),
    reading,
  };
}

interface Current {
  readonly rebase: Rebase | undefined;
  readonly runs: readonly RunRecord[];
  readonly notes: readonly string[];
}

/** The entries of the API's present processes, from the last rebase on. */
function selectCurrent(entries: readonly Entry[], now: Reading): Current {
  const runs = entries
    .filter((entry) => entry.kind === 'loadgen-run')
    .filter((run) => run.readings.before !== null);
  const rebases = entries.filter((entry) => entry.kind === 'loadgen-rebase');
  const isCurrent = (reading: Reading) => sharesProcess(reading, now);
  // A run may have begun on processes that have been replaced while it sent.
  const current = runs.filter((run) => [...beforeOf(run), ...afterOf(run)].some(isCurrent));
  const [rebase] = rebases
    .filter(({ reading }) => isCurrent(reading))
    .sort((a, b) => b.reading.askedAtSeconds - a.reading.askedAtSeconds);
  const since = rebase?.reading.askedAtSeconds ?? Number.NEGATIVE_INFINITY;
  const left = runs.length - current.length;
  return {
    rebase,
    runs: current.filter((run) => beforeOf(run).some(({ askedAtSeconds }) => askedAtSeconds >= since)),
    notes: left === 0 ? [] : [`${formatCount(left, 'earlier run')} left out: the API was restarted since`],
  };
}

/** One common process is enough to belong; that others are gone is then an obstacle of the proof, which names them. */
function sharesProcess(then: Reading, now: Reading): boolean {
  return then.instances.some((instance) =>
    now.instances.some((candidate) => isSameProcess(candidate, instance)),
  );
}

function afterOf({ readings: { after } }: RunRecord): Reading[] {
  return after === null ? [] : [after];
}

function beforeOf({ readings: { before } }: RunRecord): Reading[] {
  return before === null ? [] : [before];
}
