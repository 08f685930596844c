/** `loadgen report`: one report as a page, or two as a comparison. */
import { EXIT, UsageError } from '../common/errors.ts';
import { checkWritable, writeWhole } from '../common/files.ts';
import { renderPage } from '../report/html/page.ts';
import { readReport } from '../report/report.ts';
import type { Io } from './io.ts';

export interface ReportFlags {
  readonly html?: string;
}

export async function reportCommand(files: readonly string[], flags: ReportFlags, io: Io): Promise<number> {
  const [first = '', second, ...more] = files;
  if (more.length > 0)
    throw new UsageError(`report: expected one report, or two to compare, got ${files.length}`);
  const target = flags.html ?? `${first.replace(/\.json$/, '')}.html`;
  if (target !== '-') await checkWritable(target);
  const a = await readReport(first);
  const page = await renderPage(second === undefined ? [a] : [a, await readReport(second)]);
  if (target === '-') {
    io.stdout.write(page);
    return EXIT.ok;
  }
  await writeWhole(target, page, io.signal);
  io.stdout.write(`${target}\n`);
  return EXIT.ok;
}
