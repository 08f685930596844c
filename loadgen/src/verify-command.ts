/** `loadgen verify`: reads the ledger and Prometheus, and shows how they compare. */
import { EXIT, UsageError } from './errors.ts';
import type { Io } from './io.ts';
import { ledgerFiles, readEntry, saveEntry, writeWhole } from './ledger-folder.ts';
import { Prometheus } from './prometheus.ts';
import { mayHeal } from './proof.ts';
import { type Reading, takeReading, takeSettledReading } from './reading.ts';
import { createPaint } from './reporters/paint.ts';
import { formatProof } from './reporters/proof-table.ts';
import { formatCount } from './units.ts';
import { createRebase, type Verification, verify } from './verify.ts';

export interface VerifyFlags {
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
  const prometheus = new Prometheus(flags.prometheus, Math.min(RETRY_MS, flags.wait));
  const options = {
    job: flags.job,
    waitMs: flags.wait,
    signal: io.signal,
    onWait: (why: string) => void (flags.quiet || io.stderr.write(`waiting for Prometheus: ${why}\n`)),
  };
  if (rebase && ledger !== undefined) {
    await saveEntry(ledger, createRebase(await takeReading(prometheus, options)));
    io.stdout.write('the ledger begins anew: what Prometheus holds now is taken as given\n');
    return EXIT.ok;
  }
  // The ledger first: a mistake in it is told before anybody waits for a scrape.
  const entries = await Promise.all(
    (ledger === undefined ? files : await ledgerFiles(ledger)).map(readEntry),
  );
  const isMissing = (now: Reading) => mayHeal(verify(entries, now).proof);
  const verification = verify(entries, await takeSettledReading(prometheus, options, isMissing));
  await show(verification, flags, io);
  return verification.proof.verdict === 'proved' ? EXIT.ok : EXIT.failed;
}

async function show(
  { proof, runs, notes }: Verification,
  { json, quiet, ledger }: VerifyFlags,
  io: Io,
): Promise<void> {
  if (!quiet) for (const note of notes) io.stderr.write(`${note}\n`);
  if (json === '-') {
    io.stdout.write(`${JSON.stringify({ runs, proof }, undefined, 2)}\n`);
    return;
  }
  io.stdout.write(
    `${[`${formatCount(runs, 'run')} in the ledger`, ...formatProof(proof, createPaint(io.stdout))].join('\n')}\n`,
  );
  if (json !== undefined) await writeWhole(json, { runs, proof });
  if (proof.verdict !== 'proved' && ledger !== undefined) {
    io.stderr.write(
      'what is counted now can be taken as given, and a new ledger begun, with: verify --rebase\n',
    );
  }
}
