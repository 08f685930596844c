/** What remains of a run: its files, its summary, its exit code. The same for one that was sent and one that was combined. */
import { EXIT } from '../common/errors.ts';
import { writeWhole } from '../common/files.ts';
import { saveEntry } from '../proof/ledger.ts';
import { renderPage } from '../report/html/page.ts';
import type { Report } from '../report/report.ts';
import type { RunOutcome } from '../run/run.ts';
import type { Io } from './io.ts';
import { formatLatency } from './latency-table.ts';
import { createPaint } from './paint.ts';
import { formatProof } from './proof-table.ts';
import { formatEnd, formatPhase } from './summary-text.ts';

/** Where a report goes besides the summary; `-` is standard output in the place of the summary. */
export interface Outputs {
  readonly json?: string;
  readonly html?: string;
  readonly ledger?: string;
}

/** @throws UsageError for a file that cannot be written */
export async function saveOutputs(report: Report, { ledger, json, html }: Outputs): Promise<void> {
  if (ledger !== undefined) await saveEntry(ledger, report);
  if (json !== undefined && json !== '-') await writeWhole(json, formatJson(report));
  if (html !== undefined) await writeWhole(html, await renderPage([report]));
}

/** @returns the exit code */
export function showOutcome({ report, unreachable }: RunOutcome, { json }: Outputs, io: Io): number {
  io.stdout.write(json === '-' ? formatJson(report) : formatText(report, io));
  if (unreachable !== undefined) io.stderr.write(`loadgen: no proof: ${unreachable.message}\n`);
  return exitCodeOf({ report, ...(unreachable && { unreachable }) });
}

export function formatJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function formatText(report: Report, io: Io): string {
  const paint = createPaint(io.stdout);
  const blocks = [
    ...report.phases.map((phase) => formatPhase(phase, paint)),
    formatEnd(report, paint),
    ...(report.proof === null ? [] : [formatProof(report.proof, paint)]),
    ...(report.latency === null ? [] : [formatLatency(report.latency, paint)]),
  ];
  const shown = blocks.filter((lines) => lines.length > 0);
  return `${shown.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** Interrupted before everything; then a target or Prometheus that was not there; then what failed. */
function exitCodeOf({ report, unreachable }: RunOutcome): number {
  if (report.state === 'interrupted') return EXIT.interrupted;
  const answered = report.phases.some((phase) => phase.answered > 0);
  const isIdle = report.phases.every(({ sent, unsent, dropped }) => sent + unsent + dropped === 0);
  if (unreachable !== undefined || report.state === 'gave-up' || (!answered && !isIdle))
    return EXIT.unreachable;
  const failed = report.phases.some(({ thresholds }) => thresholds.some(({ ok }) => !ok));
  const unproved = report.proof !== null && report.proof.verdict !== 'proved';
  return failed || unproved || report.lostShards.length > 0 ? EXIT.failed : EXIT.ok;
}
