/** What remains of a run: its files, its summary, its exit code. The same for one that was sent and one that was combined. */
import {
  CheckError,
  EXIT,
  InterruptedError,
  reasonOf,
  UnreachableError,
  UsageError,
} from '../common/errors.ts';
import { checkWritable, writeWhole } from '../common/files.ts';
import { hideCredentials } from '../common/secrets.ts';
import { renderPage } from '../report/html/page.ts';
import type { Report } from '../report/report.ts';
import type { RunOutcome } from '../run/run.ts';
import { openLedger, removeEntry, saveEntry } from '../verify/ledger.ts';
import type { Io } from './io.ts';
import { formatLatency } from './latency-table.ts';
import { createPaint } from './paint.ts';
import { formatEnd, formatPhase } from './summary-text.ts';
import { formatVerification } from './verification-table.ts';

/** Where a report goes besides the summary; `-` is standard output in the place of the summary. */
export interface Outputs {
  readonly json?: string;
  readonly html?: string;
  readonly ledger?: string;
}

/** The files of a run. */
export interface Saver {
  /** To the ledger and to regular files, as often as there is something new. @returns what could not be written */
  save(report: Report): Promise<readonly string[]>;
  /** To what can be written once only, such as a FIFO. @returns what could not be written, the last time or now */
  finish(report: Report): Promise<readonly string[]>;
}

/** @throws UsageError for a file that cannot be written */
export async function openOutputs({ ledger, json, html }: Outputs, signal: AbortSignal): Promise<Saver> {
  if (json === '-' && html === '-')
    throw new UsageError('--json, --html: expected "-", standard output, for one of them at most');
  if (ledger !== undefined) await openLedger(ledger);
  const files = [
    ...(await openFile(json, async (report) => formatJson(report), signal)),
    ...(await openFile(html, (report) => renderPage([report]), signal)),
  ];
  const [first, second] = files;
  if (first?.regular !== undefined && first.regular === second?.regular)
    throw new UsageError(`--json, --html: expected two files, got ${json} for both`);
  const repeatable = files.filter(({ regular }) => regular !== undefined).map(({ write }) => write);
  if (ledger !== undefined) repeatable.unshift((report) => keepInLedger(ledger, report));
  const single = files.filter(({ regular }) => regular === undefined).map(({ write }) => write);
  let unsaved: string[] = [];
  return {
    async save(report) {
      unsaved = await tryAll(repeatable, report);
      return unsaved;
    },
    finish: async (report) => [...unsaved, ...(await tryAll(single, report))],
  };
}

/** A run that ended before its first request leaves no entry: there is nothing to verify of it. */
function keepInLedger(ledger: string, report: Report): Promise<void> {
  const { state, phases, lostShards } = report;
  const hasSentNothing = state === 'interrupted' && phases.length + lostShards.length === 0;
  return hasSentNothing ? removeEntry(ledger, report) : saveEntry(ledger, report);
}

type Write = (report: Report) => Promise<void>;

/** @returns one, or none for standard output */
async function openFile(
  path: string | undefined,
  render: (report: Report) => Promise<string>,
  signal: AbortSignal,
): Promise<{ regular: string | undefined; write: Write }[]> {
  if (path === undefined || path === '-') return [];
  const regular = await checkWritable(path);
  return [{ regular, write: async (report) => writeWhole(path, await render(report), signal) }];
}

/** One that fails is no reason to leave the others out. */
async function tryAll(writes: readonly Write[], report: Report): Promise<string[]> {
  const failures: string[] = [];
  for (const write of writes) {
    try {
      await write(report);
    } catch (error) {
      if (!(error instanceof CheckError)) throw error;
      failures.push(error.message);
    }
  }
  return failures;
}

/** @returns the exit code */
export async function showOutcome(
  outcome: RunOutcome,
  { json, html }: Outputs,
  saver: Saver,
  io: Io,
): Promise<number> {
  const { report, unverified } = outcome;
  if (json === '-') io.stdout.write(formatJson(report));
  else io.stdout.write(html === '-' ? await renderPage([report]) : formatText(report, io));
  const unsaved = await saver.finish(report);
  const problems = [
    ...(unverified === undefined ? [] : [`not verified: ${reasonOf(unverified)}`]),
    ...unsaved,
  ];
  for (const problem of problems) io.stderr.write(`loadgen: ${hideCredentials(problem)}\n`);
  const code = exitCodeOf(outcome);
  if (unsaved.length > 0 && io.signal.aborted) return EXIT.interrupted;
  return code === EXIT.ok && unsaved.length > 0 ? EXIT.failed : code;
}

export function formatJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function formatText(report: Report, io: Io): string {
  const paint = createPaint(io.stdout);
  const blocks = [
    ...report.phases.map((phase) => formatPhase(phase, paint)),
    formatEnd(report, paint),
    ...(report.verification === null ? [] : [formatVerification(report.verification, paint)]),
    ...(report.latency === null ? [] : [formatLatency(report.latency, paint)]),
  ];
  const shown = blocks.filter((lines) => lines.length > 0);
  return `${shown.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** Interrupted before everything; then a target or Prometheus that was not there; then what failed. */
function exitCodeOf({ report, unverified }: RunOutcome): number {
  if (report.state === 'interrupted' || unverified instanceof InterruptedError) return EXIT.interrupted;
  const answered = report.phases.some((phase) => phase.answered > 0);
  const isIdle = report.phases.every(({ sent, unsent, dropped }) => sent + unsent + dropped === 0);
  if (unverified instanceof UnreachableError || report.state === 'gave-up' || (!answered && !isIdle))
    return EXIT.unreachable;
  const failed = report.phases.some(({ thresholds }) => thresholds.some(({ ok }) => !ok));
  const isUnverified =
    unverified !== undefined || (report.verification !== null && report.verification.verdict !== 'verified');
  return failed || isUnverified || report.lostShards.length > 0 ? EXIT.failed : EXIT.ok;
}
