/** The outputs of a run, for runs that were sent and for combined ones. */
import { CheckError, UsageError } from '../common/errors.ts';
import { checkWritable, writeWhole } from '../common/files.ts';
import { renderPage } from '../report/html/page.ts';
import { type Report, toJson } from '../report/report.ts';
import { openLedger, removeRecord, saveRecord } from '../verify/ledger.ts';

/** Destinations of a report in addition to the summary; `-` is standard output instead of the summary. */
export interface Outputs {
  readonly json?: string;
  readonly html?: string;
  readonly ledger?: string;
}

export interface Saver {
  /** Saves to the ledger. Called whenever there is something new. @returns errors of writing */
  save(report: Report): Promise<readonly string[]>;
  /** Writes the files. Called once. @returns errors of writing them, and of the last save to the ledger */
  finish(report: Report): Promise<readonly string[]>;
}

/** @throws UsageError if a file cannot be written */
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

/** A run that ended before its first request leaves no record, because there is nothing to verify. */
function keepInLedger(ledger: string, report: Report): Promise<void> {
  const { state, phases, lostShards } = report;
  const hasSentNothing = state === 'interrupted' && phases.length + lostShards.length === 0;
  return hasSentNothing ? removeRecord(ledger, report) : saveRecord(ledger, report);
}

/** A failed output must not prevent the others. */
async function attempt(write: () => Promise<void>): Promise<string[]> {
  try {
    await write();
    return [];
  } catch (error) {
    if (!(error instanceof CheckError)) throw error;
    return [error.message];
  }
}
