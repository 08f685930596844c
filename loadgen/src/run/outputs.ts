/** The outputs of a run. The same for one that was sent and one that was combined. */
import { CheckError, UsageError } from '../common/errors.ts';
import { checkWritable, writeWhole } from '../common/files.ts';
import { renderPage } from '../report/html/page.ts';
import { type Report, toJson } from '../report/report.ts';
import { openLedger, removeRecord, saveRecord } from '../verify/ledger.ts';

/** Where a report goes besides the summary; `-` is standard output in the place of the summary. */
export interface Outputs {
  readonly json?: string;
  readonly html?: string;
  readonly ledger?: string;
}

export interface Saver {
  /** To the ledger, as often as there is something new. @returns what could not be written */
  save(report: Report): Promise<readonly string[]>;
  /** To the files, once. @returns what could not be written there, or to the ledger the last time */
  finish(report: Report): Promise<readonly string[]>;
}

/** @throws UsageError for a file that cannot be written */
export async function openOutputs({ ledger, json, html }: Outputs, signal: AbortSignal): Promise<Saver> {
  if (json !== undefined && json === html)
    throw new UsageError(`--json, --html: expected two files, got ${json} for both`);
  if (ledger !== undefined) await openLedger(ledger);
  for (const path of [json, html]) if (isFile(path)) await checkWritable(path);
  let unsaved: string[] = [];
  return {
    async save(report) {
      unsaved = ledger === undefined ? [] : await attempt(() => keepInLedger(ledger, report));
      return unsaved;
    },
    async finish(report) {
      const failed = isFile(json) ? await attempt(() => writeWhole(json, toJson(report), signal)) : [];
      const write = async (path: string) => writeWhole(path, await renderPage([report]), signal);
      return [...unsaved, ...failed, ...(isFile(html) ? await attempt(() => write(html)) : [])];
    },
  };
}

function isFile(path: string | undefined): path is string {
  return path !== undefined && path !== '-';
}

/** A run that ended before its first request leaves no entry: there is nothing to verify of it. */
function keepInLedger(ledger: string, report: Report): Promise<void> {
  const { state, phases, lostShards } = report;
  const hasSentNothing = state === 'interrupted' && phases.length + lostShards.length === 0;
  return hasSentNothing ? removeRecord(ledger, report) : saveRecord(ledger, report);
}

/** An output that fails is no reason to leave the others out. */
async function attempt(write: () => Promise<void>): Promise<string[]> {
  try {
    await write();
    return [];
  } catch (error) {
    if (!(error instanceof CheckError)) throw error;
    return [error.message];
  }
}
