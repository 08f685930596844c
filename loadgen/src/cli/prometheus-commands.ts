/** Commands that only query Prometheus: `exact-load verify` compares with earlier runs, `exact-load query` prints a table. */
import { EXIT, UsageError } from '../common/errors.ts';
import { checkWritable, writeWhole } from '../common/files.ts';
import { AUTO, withIgnored } from '../common/metrics.ts';
import { formatCount } from '../common/units.ts';
import { toJson } from '../report/report.ts';
import { formatAnswer } from '../report/text/query-table.ts';
import { formatVerification } from '../report/text/verification-table.ts';
import { type AccessFlags, connectPrometheus } from '../run/connect-prometheus.ts';
import { readMetrics } from '../run/read-metrics.ts';
import { readForeignResult, type SentBetween, verifyForeign } from '../run/verify-foreign.ts';
import { readSent, rebase, type Verification, verifySent } from '../run/verify-sent.ts';
import { type Io, noteOf, openSource, type PrometheusFlags } from './io.ts';

export interface VerifyFlags extends PrometheusFlags, SentBetween {
  readonly prometheus: string;
  readonly ledger?: string;
  readonly rebase?: true;
  readonly sent?: string;
  readonly metrics?: string;
  readonly ignoreRoute?: readonly string[];
  readonly json?: string;
}

/** Shorter than `--wait`, so that an unreachable Prometheus is reported soon. */
const RETRY_MS = 3_000;

export async function verifyCommand(files: readonly string[], flags: VerifyFlags, io: Io): Promise<number> {
  const { ledger, sent, json } = flags;
  checkVerifyFlags(files, flags);
  const given = flags.metrics === undefined ? AUTO : await readMetrics(flags.metrics);
  const choice = withIgnored(given, flags.ignoreRoute);
  const source = await openSource(flags.prometheus, flags, io, Math.min(RETRY_MS, flags.wait));
  if (json !== undefined && json !== '-') await checkWritable(json);
  if (flags.rebase && ledger !== undefined) {
    await rebase(ledger, choice, source);
    io.stdout.write('started a new ledger: the current counts in Prometheus are its baseline\n');
    return EXIT.ok;
  }
  const note = noteOf(flags, io);
  if (sent !== undefined) {
    const result = await readForeignResult(sent, flags);
    const onChoice = (reason: string) => note(`comparing by ${reason}`);
    const verification = await verifyForeign(result, choice, { ...source, onChoice });
    return show(`the result of ${result.tool}`, { verification }, flags, io);
  }
  // Reads the ledger first, so that errors in it are reported before the wait for a scrape.
  const runs = await readSent(ledger ?? files);
  if (runs.older > 0) note(`skipped ${formatCount(runs.older, 'run')} by another version of exact-load`);
  const { notes, ...verified } = await verifySent(runs, source);
  notes.forEach(note);
  const code = await show(`${formatCount(verified.runs, 'run')} in the ledger`, verified, flags, io);
  if (code !== EXIT.ok && ledger !== undefined && json !== '-')
    io.stderr.write('to accept the current counts as the baseline of a new ledger: verify --rebase\n');
  return code;
}

function checkVerifyFlags(files: readonly string[], flags: VerifyFlags): void {
  const { ledger, sent } = flags;
  if ([ledger, sent, files[0]].filter((source) => source !== undefined).length !== 1)
    throw new UsageError('verify: expected one of --ledger <folder>, --sent <file>, or reports of runs');
  if (flags.rebase && ledger === undefined) throw new UsageError('--rebase: needs --ledger <folder>');
  if (sent === undefined && (flags.from ?? flags.to) !== undefined)
    throw new UsageError('--from, --to: expected only with --sent');
  if (!flags.rebase && sent === undefined && (flags.metrics ?? flags.ignoreRoute) !== undefined)
    throw new UsageError(
      '--metrics, --ignore-route: expected only with --sent or --rebase; runs have stored theirs',
    );
}

/** @param title the title of the table. @returns the exit code */
async function show(
  title: string,
  result: { readonly verification: Verification },
  { json }: VerifyFlags,
  io: Io,
): Promise<number> {
  const { verification } = result;
  const text = toJson(result);
  const table = `${[title, ...formatVerification(verification)].join('\n')}\n`;
  io.stdout.write(json === '-' ? text : table);
  if (json !== undefined && json !== '-') await writeWhole(json, text, io.signal);
  return verification.verdict === 'verified' ? EXIT.ok : EXIT.failed;
}

export interface QueryFlags extends AccessFlags {
  readonly prometheus: string;
}

/** @returns the exit code. @throws UsageError if Prometheus refuses the query */
export async function queryCommand(expression: string, flags: QueryFlags, io: Io): Promise<number> {
  const prometheus = await connectPrometheus(flags.prometheus, flags, io.env, 0);
  const answer = await prometheus.ask(expression, { signal: io.signal });
  const table = formatAnswer(answer);
  if (table.length > 0) io.stdout.write(`${table.join('\n')}\n`);
  else io.stderr.write('No series matches: none has these names and labels now.\n');
  return EXIT.ok;
}
