/** Commands for reports: `exact-load combine` adds up the reports of shards, `exact-load report` renders reports as pages. */
import { EXIT, UsageError } from '../common/errors.ts';
import { checkWritable, writeWhole } from '../common/files.ts';
import { combine } from '../report/combine.ts';
import { renderPage } from '../report/html/page.ts';
import { type Report, readReport } from '../report/report.ts';
import { type Outputs, openOutputs } from '../run/outputs.ts';
import { addVerification, type RunOutcome } from '../run/run.ts';
import { type Io, openSource, type PrometheusFlags } from './io.ts';
import { showOutcome } from './outcome.ts';

export type CombineFlags = Pick<Outputs, 'json' | 'html'> & PrometheusFlags;

export async function combineCommand(files: readonly string[], flags: CombineFlags, io: Io): Promise<number> {
  const saver = await openOutputs(flags, io.signal);
  const outcome = await verify(combine(await Promise.all(files.map(readReport)), files), flags, io);
  await saver.save(outcome.report);
  return showOutcome(outcome, flags, saver, io);
}

async function verify(report: Report, flags: CombineFlags, io: Io): Promise<RunOutcome> {
  if (flags.prometheus === undefined) return { report };
  const source = await openSource(flags.prometheus, flags, io);
  if (report.snapshots.before === null)
    throw new UsageError(
      '--prometheus: expected shards that were sent with it; without, the counts before the run are unknown',
    );
  return addVerification({ ...report, prometheus: source.prometheus.url }, source);
}

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
