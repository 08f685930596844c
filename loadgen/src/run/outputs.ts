/** The files of a run. The same for one that was sent and one that was combined. */
import { CheckError, UsageError } from '../common/errors.ts';
import { checkWritable, writeWhole } from '../common/files.ts';
import { renderPage } from '../report/html/page.ts';
import { type Report, toJson } from '../report/report.ts';
import { openLedger, removeEntry, saveEntry } from '../verify/ledger.ts';

/** Where a report goes besides the summary; `-` is standard output in the place of the summary. */
export interface Outputs {
  readonly json?: string;
  readonly html?: string;
  readonly ledger?: string;
}

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
    ...(await openFile(json, async (report) => toJson(report), signal)),
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
