/** The summary and exit code of a run, for runs that were sent and for combined ones. */
import { EXIT, InterruptedError, reasonOf, UnreachableError } from '../common/errors.ts';
import { hideCredentials } from '../common/secrets.ts';
import { renderPage } from '../report/html/page.ts';
import { toJson } from '../report/report.ts';
import { formatReport } from '../report/text/summary.ts';
import { verdictOf } from '../report/verdict.ts';
import type { Outputs, Saver } from '../run/outputs.ts';
import type { RunOutcome } from '../run/run.ts';
import type { Io } from './io.ts';

/** @returns the exit code */
export async function showOutcome(
  outcome: RunOutcome,
  { json, html }: Outputs,
  saver: Saver,
  io: Io,
): Promise<number> {
  const { report, unverified } = outcome;
  if (json === '-') io.stdout.write(toJson(report));
  else io.stdout.write(html === '-' ? await renderPage([report]) : formatReport(report));
  const unsaved = await saver.finish(report);
  const problems = [
    ...(unverified === undefined ? [] : [`not verified: ${reasonOf(unverified)}`]),
    ...unsaved,
  ];
  for (const problem of problems) io.stderr.write(`exact-load: ${hideCredentials(problem)}\n`);
  const code = exitCodeOf(outcome);
  if (unsaved.length > 0 && io.signal.aborted) return EXIT.interrupted;
  return code === EXIT.ok && unsaved.length > 0 ? EXIT.failed : code;
}

/** An interruption takes precedence, then an unreachable target or Prometheus, then failed checks. */
function exitCodeOf({ report, unverified }: RunOutcome): number {
  if (report.state === 'interrupted' || unverified instanceof InterruptedError) return EXIT.interrupted;
  const answered = report.phases.some((phase) => phase.answered > 0);
  const isIdle = report.phases.every(({ sent, unsent, dropped }) => sent + unsent + dropped === 0);
  if (unverified instanceof UnreachableError || (!answered && !isIdle)) return EXIT.unreachable;
  return unverified !== undefined || verdictOf(report).kind === 'failed' ? EXIT.failed : EXIT.ok;
}
