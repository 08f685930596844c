/** `loadgen verify`: reads the ledger and Prometheus, and shows how they compare. */
import { CheckError, EXIT, UsageError } from '../common/errors.ts';
import { checkWritable, writeWhole } from '../common/files.ts';
import { formatCount } from '../common/units.ts';
import { ledgerFiles, openLedger, readEntry, saveEntry } from '../verify/ledger.ts';
import type { Snapshot } from '../verify/process.ts';
import type { Entry } from '../verify/record.ts';
import { readSettledSnapshot, readSnapshot } from '../verify/snapshot.ts';
import { standingOf } from '../verify/verification.ts';
import { baselineOf, createRebase, type RunsVerification, verifyRuns } from '../verify/verify-runs.ts';
import type { Io } from './io.ts';
import { formatJson } from './outcome.ts';
import { createPaint } from './paint.ts';
import { connectPrometheus, type PrometheusFlags } from './prometheus-flags.ts';
import { formatVerification } from './verification-table.ts';

export interface VerifyFlags extends PrometheusFlags {
  readonly prometheus: string;
  readonly ledger?: string;
  readonly rebase?: true;
  readonly json?: string;
  readonly quiet?: true;
  readonly job: string;
  readonly wait: number;
}

/** A person waits in front of it: a Prometheus that is away is told soon, not after the whole of `--wait`. */
const RETRY_MS = 3_000;

export async function verifyCommand(files: readonly string[], flags: VerifyFlags, io: Io): Promise<number> {
  const { ledger, rebase = false } = flags;
  if ((ledger === undefined) === (files.length === 0))
    throw new UsageError('verify: needs --ledger <folder>, or reports of runs');
  if (rebase && ledger === undefined) throw new UsageError('--rebase: needs --ledger <folder>');
  const prometheus = await connectPrometheus(flags, Math.min(RETRY_MS, flags.wait), io);
  if (flags.json !== undefined && flags.json !== '-') await checkWritable(flags.json);
  const options = {
    job: flags.job,
    waitMs: flags.wait,
    signal: io.signal,
    onWait: (why: string) => void (flags.quiet || io.stderr.write(`waiting for Prometheus: ${why}\n`)),
  };
  if (rebase && ledger !== undefined) {
    await openLedger(ledger);
    await saveEntry(ledger, createRebase(await readSnapshot(prometheus, options)));
    io.stdout.write('the ledger now starts here: what Prometheus holds is taken as given\n');
    return EXIT.ok;
  }
  // The ledger first: a mistake in it is told before anybody waits for a scrape.
  const { entries, older } = await readEntries(ledger === undefined ? files : await ledgerFiles(ledger));
  if (older > 0 && !flags.quiet)
    io.stderr.write(`${formatCount(older, 'run')} of another version of loadgen left out\n`);
  const standing = (now: Snapshot) => standingOf(verifyRuns(entries, now).verification);
  const beforeOf = (now: Snapshot) => baselineOf(entries, now);
  const now = await readSettledSnapshot(prometheus, { ...options, beforeOf }, standing);
  const result = verifyRuns(entries, now);
  await show(result, flags, io);
  return result.verification.verdict === 'verified' ? EXIT.ok : EXIT.failed;
}

async function readEntries(files: readonly string[]): Promise<{ entries: Entry[]; older: number }> {
  const all = await Promise.all(files.map(readEntry));
  const entries = all.filter((entry) => entry !== undefined);
  return { entries, older: all.length - entries.length };
}

/**
 * Shows the verification of what a ledger has, by a snapshot that was taken for something else. Only where it is one: a user who did
 * not ask for a comparison need not know that there is nothing to compare, or that another client has used the API too.
 */
export async function showVerified(ledger: string, now: Snapshot, io: Io): Promise<void> {
  try {
    const { entries } = await readEntries(await ledgerFiles(ledger));
    const { verification } = verifyRuns(entries, now);
    if (verification.verdict === 'verified')
      io.stdout.write(`${formatVerification(verification, createPaint(io.stdout)).join('\n')}\n`);
  } catch (error) {
    if (!(error instanceof CheckError || error instanceof UsageError)) throw error;
  }
}

async function show(
  { verification, runs, notes }: RunsVerification,
  { json, quiet, ledger }: VerifyFlags,
  io: Io,
): Promise<void> {
  if (!quiet) for (const note of notes) io.stderr.write(`${note}\n`);
  if (json === '-') {
    io.stdout.write(formatJson({ runs, verification }));
    return;
  }
  io.stdout.write(
    `${[`${formatCount(runs, 'run')} in the ledger`, ...formatVerification(verification, createPaint(io.stdout))].join('\n')}\n`,
  );
  if (json !== undefined) await writeWhole(json, formatJson({ runs, verification }), io.signal);
  if (verification.verdict !== 'verified' && ledger !== undefined) {
    io.stderr.write(
      'what is counted now can be taken as given, and a new ledger begun, with: verify --rebase\n',
    );
  }
}
