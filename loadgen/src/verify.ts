/**
 * `verify`: sends nothing. It adds up the ledgers of the runs since the API's processes started and compares the sum with
 * what Prometheus holds now. The first of those runs says what had been counted before it.
 */
import { randomUUID } from 'node:crypto';
import { CheckError } from './errors.ts';
import { sumLedgers } from './ledger.ts';
import { type Proof, prove } from './proof.ts';
import type { Reading } from './reading.ts';
import type { Rebase, RunRecord } from './report.ts';
import { formatCount } from './units.ts';

export interface Verification {
  readonly proof: Proof;
  /** How many runs the ledger is the sum of. */
  readonly runs: number;
  /** What was left out, for the person. */
  readonly notes: readonly string[];
}

type Entry = RunRecord | Rebase;

/**
 * @param entries in any order; what belongs together is told by the instances' start times, the order by Prometheus' clock
 * @throws CheckError when no run belongs to the API's present processes: comparing nothing would always succeed
 */
export function verify(entries: readonly Entry[], now: Reading): Verification {
  const { current, notes } = selectCurrent(entries, now);
  const [first, ...later] = current;
  if (first === undefined) {
    throw new CheckError(
      [
        ...notes,
        'nothing to verify: the ledger holds no run since the API started; send one first (loadgen run)',
      ].join('\n'),
    );
  }
  const runs = (first.kind === 'loadgen-rebase' ? later : current).filter(
    (entry) => entry.kind === 'loadgen-run',
  );
  const proof = prove(readingOf(first), now, sumLedgers(runs.map(({ ledger }) => ledger)));
  const unfinished = runs.filter(({ state }) => state === 'started');
  if (unfinished.length === 0) return { proof, runs: runs.length, notes };
  const obstacles = unfinished.map(
    ({ startedAt }) =>
      `the run of ${startedAt} did not end (killed, or still running): what it sent is not known`,
  );
  return { proof: { ...proof, verdict: 'impossible', rows: [], obstacles }, runs: runs.length, notes };
}

/** A mark after which earlier runs, and whatever else was counted, no longer matter. */
export function createRebase(reading: Reading): Rebase {
  return {
    kind: 'loadgen-rebase',
    version: 1,
    id: randomUUID(),
    startedAt: new Date().toISOString(),
    reading,
  };
}

/** The entries of the API's present processes, in order, from the last rebase on. */
function selectCurrent(entries: readonly Entry[], now: Reading): { current: Entry[]; notes: string[] } {
  const withReading = entries.filter(
    (entry) => entry.kind === 'loadgen-rebase' || entry.readings.before !== null,
  );
  const ofNow = withReading.filter((entry) => sharesProcess(readingOf(entry), now));
  const sorted = ofNow.sort((a, b) => readingOf(a).askedAtSeconds - readingOf(b).askedAtSeconds);
  const rebased = sorted.findLastIndex(({ kind }) => kind === 'loadgen-rebase');
  const left = withReading.length - ofNow.length;
  const notes =
    left === 0 ? [] : [`${formatCount(left, 'earlier run')} left out: the API was started anew since`];
  return { current: sorted.slice(Math.max(0, rebased)), notes };
}

/** One common process is enough to belong; that others are gone is then an obstacle of the proof, which names them. */
function sharesProcess(then: Reading, now: Reading): boolean {
  return then.instances.some(({ instance, startTimeSeconds }) =>
    now.instances.some((other) => other.instance === instance && other.startTimeSeconds === startTimeSeconds),
  );
}

function readingOf(entry: Entry): Reading {
  const reading = entry.kind === 'loadgen-rebase' ? entry.reading : entry.readings.before;
  if (reading === null) throw new TypeError('a run without a reading has no place in time');
  return reading;
}
