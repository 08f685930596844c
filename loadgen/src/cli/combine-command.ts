/** `loadgen combine`: the reports of shards to the report of the whole, verified against Prometheus. */
import { UsageError } from '../common/errors.ts';
import { combine } from '../report/combine.ts';
import { type Report, readReport } from '../report/report.ts';
import { connectPrometheus } from '../run/connect-prometheus.ts';
import { type Outputs, openOutputs } from '../run/outputs.ts';
import { addVerification, type RunOutcome } from '../run/run.ts';
import { type Io, type PrometheusFlags, waitOptions } from './io.ts';
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
  const prometheus = await connectPrometheus(flags.prometheus, flags, io.env ?? {}, flags.wait);
  if (report.snapshots.before === null)
    throw new UsageError(
      '--prometheus: the shards were sent without it, so what had been counted before is not known',
    );
  return addVerification({ ...report, prometheus: prometheus.url }, prometheus, waitOptions(flags, io));
}
