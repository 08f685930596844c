/** Compares the requests of earlier runs with the current counters in Prometheus. Sends nothing. */
import { CheckError, UsageError } from '../common/errors.ts';
import { type MetricsChoice, NO_METRICS } from '../common/metrics.ts';
import { type BaselineOptions, completeMetrics, readBaseline } from '../verify/baseline.ts';
import { ledgerFiles, type RunRecord, readRecord, startLedger } from '../verify/ledger.ts';
import type { Snapshot } from '../verify/process.ts';
import { readSettledSnapshot } from '../verify/snapshot.ts';
import { standingOf, type Verification } from '../verify/verification.ts';
import { baselineOf, metricsOf, type RunsVerification, verifyRuns } from '../verify/verify-runs.ts';

export type { Verification };

interface SentRuns {
  readonly records: readonly RunRecord[];
  /** The number of runs that were skipped because another version of the generator wrote them. */
  readonly older: number;
}

/** @param from the folder of a ledger, or reports @throws UsageError or CheckError with every error in them */
export async function readSent(from: string | readonly string[]): Promise<SentRuns> {
  const files = typeof from === 'string' ? await ledgerFiles(from) : from;
  const all = await Promise.all(files.map(readRecord));
  const records = all.filter((record) => record !== undefined);
  return { records, older: all.length - records.length };
}

export async function verifySent({ records }: SentRuns, options: BaselineOptions): Promise<RunsVerification> {
  const metrics = await completeMetrics(metricsOf(records) ?? NO_METRICS, options);
  const standing = (now: Snapshot) => standingOf(verifyRuns(records, now, metrics).verification, metrics);
  const compared = { ...options, metrics, beforeOf: (now: Snapshot) => baselineOf(records, now) };
  return verifyRuns(records, await readSettledSnapshot(compared, standing), metrics);
}

/**
 * Verifies a ledger with a snapshot that was taken for another purpose. Returns only a success: a user who did not request a
 * verification need not know that there is nothing to compare, or that another client used the API.
 */
export async function findVerified(ledger: string, now: Snapshot): Promise<Verification | undefined> {
  try {
    const { records } = await readSent(ledger);
    const metrics = metricsOf(records);
    if (!metrics?.counters.length) return undefined;
    const { verification } = verifyRuns(records, now, metrics);
    return verification.verdict === 'verified' ? verification : undefined;
  } catch (error) {
    if (error instanceof CheckError || error instanceof UsageError) return undefined;
    throw error;
  }
}

/** Starts a ledger with the current counts in Prometheus. */
export async function rebase(ledger: string, choice: MetricsChoice, options: BaselineOptions) {
  const { metrics, before } = await readBaseline(choice, options);
  await startLedger(ledger, metrics, before);
}
