/** What sends nothing and asks Prometheus: `exact-load verify` compares with what was sent before, `exact-load query` prints a table. */
import { EXIT, UsageError } from '../common/errors.ts';
import { checkWritable, writeWhole } from '../common/files.ts';
import { formatCount } from '../common/units.ts';
import { toJson } from '../report/report.ts';
import { formatAnswer } from '../report/text/query-table.ts';
import { formatVerification } from '../report/text/verification-table.ts';
import { type AccessFlags, connectPrometheus } from '../run/connect-prometheus.ts';
import { readMetrics } from '../run/read-metrics.ts';
import { readSent, rebase, verifySent } from '../run/verify-sent.ts';
import { type Io, type PrometheusFlags, waitOptions } from './io.ts';

export interface VerifyFlags extends PrometheusFlags {
  readonly prometheus: string;
  readonly ledger?: string;
  readonly rebase?: true;
  readonly metrics?: string;
  readonly ignoreRoute?: readonly string[];
  readonly json?: string;
}

/** A user waits in front of it: a Prometheus that is away is reported soon, not after the whole of `--wait`. */
const RETRY_MS = 3_000;

export async function verifyCommand(files: readonly string[], flags: VerifyFlags, io: Io): Promise<number> {
  const { ledger, json, quiet } = flags;
  if ((ledger === undefined) === (files.length === 0))
    throw new UsageError('verify: needs --ledger <folder>, or reports of runs');
  if (flags.rebase && ledger === undefined) throw new UsageError('--rebase: needs --ledger <folder>');
  const retryMs = Math.min(RETRY_MS, flags.wait);
  const prometheus = await connectPrometheus(flags.prometheus, flags, io.env ?? {}, retryMs);
  if (json !== undefined && json !== '-') await checkWritable(json);
  if (flags.rebase && ledger !== undefined) {
    const metrics = flags.metrics === undefined ? 'auto' : await readMetrics(flags.metrics);
    const choice = { metrics, ignoreRoutes: flags.ignoreRoute ?? [] };
    await rebase(ledger, prometheus, choice, waitOptions(flags, io));
    io.stdout.write('the ledger now starts here: what Prometheus holds is taken as given\n');
    return EXIT.ok;
  }
  const note = (text: string) => void (quiet || io.stderr.write(`${text}\n`));
  // The ledger first: a mistake in it is reported before a scrape is waited for.
  const sent = await readSent(ledger ?? files);
  if (sent.older > 0) note(`${formatCount(sent.older, 'run')} of another version of exact-load left out`);
  const { verification, runs, notes } = await verifySent(sent, prometheus, waitOptions(flags, io));
  notes.forEach(note);
  const isVerified = verification.verdict === 'verified';
  const code = isVerified ? EXIT.ok : EXIT.failed;
  const text = toJson({ runs, verification });
  if (json === '-') {
    io.stdout.write(text);
    return code;
  }
  const table = formatVerification(verification);
  io.stdout.write(`${[`${formatCount(runs, 'run')} in the ledger`, ...table].join('\n')}\n`);
  if (json !== undefined) await writeWhole(json, text, io.signal);
  if (!isVerified && ledger !== undefined)
    io.stderr.write(
      'what is counted now can be taken as given, and a new ledger begun, with: verify --rebase\n',
    );
  return code;
}

export interface QueryFlags extends AccessFlags {
  readonly prometheus: string;
}

/** @returns the exit code. @throws UsageError for a query that Prometheus refuses */
export async function queryCommand(expression: string, flags: QueryFlags, io: Io): Promise<number> {
  const prometheus = await connectPrometheus(flags.prometheus, flags, io.env ?? {}, 0);
  const answer = await prometheus.ask(expression, { signal: io.signal });
  const table = formatAnswer(answer);
  if (table.length > 0) io.stdout.write(`${table.join('\n')}\n`);
  else io.stderr.write('Nothing matches: no series has these names and labels now.\n');
  return EXIT.ok;
}
