/** Compares what earlier runs have sent with what Prometheus holds now. It sends nothing. */
import { CheckError, UsageError } from '../common/errors.ts';
import { ledgerFiles, openLedger, readEntry, saveEntry } from '../verify/ledger.ts';
import type { Snapshot } from '../verify/process.ts';
import type { Prometheus } from '../verify/prometheus.ts';
import type { Entry } from '../verify/record.ts';
import { readSettledSnapshot, readSnapshot, type SnapshotOptions } from '../verify/snapshot.ts';
import { standingOf, type Verification } from '../verify/verification.ts';
import { baselineOf, createRebase, type RunsVerification, verifyRuns } from '../verify/verify-runs.ts';

interface SentRuns {
  readonly entries: readonly Entry[];
  /** How many were left out that another version of the generator wrote. */
  readonly older: number;
}

/** @param from the folder of a ledger, or reports. @throws UsageError and CheckError, naming every mistake in them */
export async function readSent(from: string | readonly string[]): Promise<SentRuns> {
  const files = typeof from === 'string' ? await ledgerFiles(from) : from;
  const all = await Promise.all(files.map(readEntry));
  const entries = all.filter((entry) => entry !== undefined);
  return { entries, older: all.length - entries.length };
}

export async function verifySent(
  { entries }: SentRuns,
  prometheus: Prometheus,
  options: SnapshotOptions,
): Promise<RunsVerification> {
  const standing = (now: Snapshot) => standingOf(verifyRuns(entries, now).verification);
  const beforeOf = (now: Snapshot) => baselineOf(entries, now);
  return verifyRuns(entries, await readSettledSnapshot(prometheus, { ...options, beforeOf }, standing));
}

/** Begins a ledger from what Prometheus holds now. */
export async function rebase(
  ledger: string,
  prometheus: Prometheus,
  options: SnapshotOptions,
): Promise<void> {
  await openLedger(ledger);
  await saveEntry(ledger, createRebase(await readSnapshot(prometheus, options)));
}

/**
 * The verification of what a ledger has, by a snapshot that was taken for something else. Only where it holds: a user who did
 * not ask for a comparison need not know that there is nothing to compare, or that another client has used the API too.
 */
export async function findVerified(ledger: string, now: Snapshot): Promise<Verification | undefined> {
  try {
    const { entries } = await readSent(ledger);
    const { verification } = verifyRuns(entries, now);
    return verification.verdict === 'verified' ? verification : undefined;
  } catch (error) {
    if (error instanceof CheckError || error instanceof UsageError) return undefined;
    throw error;
  }
}
