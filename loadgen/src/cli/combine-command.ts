/** `loadgen combine`: the reports of shards to the report of the whole, verified against Prometheus. */
import { UsageError } from '../common/errors.ts';
import { WHOLE } from '../load/shard.ts';
import { combine } from '../report/combine.ts';
import { readReport } from '../report/read-report.ts';
import { addVerification, type RunOutcome } from '../run/run.ts';
import type { Io } from './io.ts';
import { type Outputs, openOutputs, showOutcome } from './outcome.ts';
import { connectPrometheus, type PrometheusFlags } from './prometheus-flags.ts';

export interface CombineFlags extends Pick<Outputs, 'json' | 'html'>, PrometheusFlags {
  readonly quiet?: true;
  readonly job: string;
  readonly wait: number;
}

export async function combineCommand(files: readonly string[], flags: CombineFlags, io: Io): Promise<number> {
  const saver = await openOutputs(flags, io.signal);
  const report = combine(await Promise.all(files.map(readReport)), WHOLE, [], files);
  const outcome = await verify(report, flags, io);
  await saver.save(outcome.report);
  return showOutcome(outcome, flags, saver, io);
}

async function verify(report: RunOutcome['report'], flags: CombineFlags, io: Io): Promise<RunOutcome> {
  const { job, wait, quiet } = flags;
  const prometheus = await connectPrometheus(flags, wait, io);
  if (prometheus === undefined) return { report };
  if (report.snapshots.before === null)
    throw new UsageError(
      '--prometheus: the shards were sent without it, so what had been counted before is not known',
    );
  return addVerification({ ...report, prometheus: prometheus.url }, prometheus, {
    job,
    waitMs: wait,
    signal: io.signal,
    onWait: (why) => void (quiet || io.stderr.write(`waiting for Prometheus: ${why}\n`)),
  });
}
