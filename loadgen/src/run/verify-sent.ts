/** Compares what earlier runs have sent with what Prometheus holds now. It sends nothing. */
import { ledgerFiles, type RunRecord, readRecord, startLedger } from '../verify/ledger.ts';
import type { Snapshot } from '../verify/process.ts';
import type { Prometheus } from '../verify/prometheus.ts';
import { readSettledSnapshot, readSnapshot, type SnapshotOptions } from '../verify/snapshot.ts';
import { standingOf } from '../verify/verification.ts';
import { baselineOf, type RunsVerification, verifyRuns } from '../verify/verify-runs.ts';

interface SentRuns {
  readonly records: readonly RunRecord[];
  /** How many were left out that another version of the generator wrote. */
  readonly older: number;
}

/** @param from the folder of a ledger, or reports. @throws UsageError and CheckError, naming every mistake in them */
export async function readSent(from: string | readonly string[]): Promise<SentRuns> {
  const files = typeof from === 'string' ? await ledgerFiles(from) : from;
  const all = await Promise.all(files.map(readRecord));
  const records = all.filter((record) => record !== undefined);
  return { records, older: all.length - records.length };
}

export async function verifySent(
  { records }: SentRuns,
  prometheus: Prometheus,
  options: SnapshotOptions,
): Promise<RunsVerification> {
  const standing = (now: Snapshot) => standingOf(verifyRuns(records, now).verification);
  const beforeOf = (now: Snapshot) => baselineOf(records, now);
  return verifyRuns(records, await readSettledSnapshot(prometheus, { ...options, beforeOf }, standing));
}

/** Begins a ledger from what Prometheus holds now. */
export async function rebase(ledger: string, prometheus: Prometheus, options: SnapshotOptions) {
  await startLedger(ledger, await readSnapshot(prometheus, options));
}
