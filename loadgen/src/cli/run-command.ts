/** `exact-load run`: flags and pattern names to a run, its outcome to text and an exit code. */
import { EXIT, UsageError } from '../common/errors.ts';
import { hideInArgument } from '../common/secrets.ts';
import { formatCount, formatNumber } from '../common/units.ts';
import { connectPrometheus } from '../run/connect-prometheus.ts';
import { describeEnvironment } from '../run/environment.ts';
import { type Outputs, openOutputs, type Saver } from '../run/outputs.ts';
import type { Overrides } from '../run/plan.ts';
import { prepareSender, type SendOptions } from '../run/prepare.ts';
import { type RunObserver, run } from '../run/run.ts';
import type { Io, PrometheusFlags } from './io.ts';
import { showOutcome } from './outcome.ts';
import { createReporter } from './progress.ts';

export interface RunFlags extends Outputs, PrometheusFlags {
  readonly target: string;
  readonly rate?: number | 'max';
  readonly duration?: number;
  readonly connections?: number;
  readonly timeout?: number;
  readonly seed: number;
  readonly threshold: Overrides['thresholds'];
  readonly verify?: boolean;
  readonly onlyOnFreshApi?: true;
  readonly shard?: NonNullable<SendOptions['shard']>;
  readonly startAt?: number;
  readonly workers: number;
}

export async function runCommand(
  names: readonly string[],
  flags: RunFlags,
  commandLine: readonly string[],
  io: Io,
): Promise<number> {
  checkFlags(flags);
  const { seed, workers, startAt, job, wait: waitMs, onlyOnFreshApi = false } = flags;
  const prometheus =
    flags.prometheus && (await connectPrometheus(flags.prometheus, flags, io.env ?? {}, waitMs));
  const saver = await openOutputs(flags, io.signal);
  const observer = createObserver(flags, saver, io);
  const { signal, startWorker } = io;
  const overrides = toOverrides(flags);
  const sending = { target: flags.target, shard: flags.shard, workers, overrides, waitMs };
  const outcome = await run({
    ...(await prepareSender({ names, ...sending, observer, signal, startWorker })),
    seed,
    startAtMs: startAt,
    waitMs,
    prometheus: prometheus || undefined,
    job,
    verify: flags.verify ?? true,
    onlyOnFreshApi,
    environment: describeEnvironment(commandLine.map(hideInArgument)),
    signal,
    observer,
  });
  if (!('alreadyHandled' in outcome)) return showOutcome(outcome, flags, saver, io);
  io.stdout.write(
    `the API has already handled ${formatCount(outcome.alreadyHandled, 'request')}: nothing sent\n`,
  );
  return EXIT.ok;
}

function checkFlags({ prometheus, verify, ledger, onlyOnFreshApi, shard, startAt }: RunFlags): void {
  const needing = [
    verify === true && '--verify',
    ledger !== undefined && '--ledger',
    onlyOnFreshApi && '--only-on-fresh-api',
  ].filter((flag) => typeof flag === 'string');
  if (prometheus === undefined && needing.length > 0)
    throw new UsageError(`${needing.join(', ')}: needs --prometheus <url>`);
  if (verify === true && shard !== undefined && shard.of > 1)
    throw new UsageError('--verify: a shard cannot be verified alone; `exact-load combine` verifies the sum');
  const lateMs = Date.now() - (startAt ?? Number.POSITIVE_INFINITY);
  if (lateMs > 0)
    throw new UsageError(`--start-at: expected a moment to come, got one ${formatNumber(lateMs)} ms ago`);
}

function toOverrides({ rate, duration, connections, timeout, threshold, seed }: RunFlags): Overrides {
  const given = { ratePerSecond: rate, durationMs: duration, connections, timeoutMs: timeout };
  return { ...given, thresholds: threshold, seed };
}

function createObserver({ quiet }: RunFlags, saver: Saver, io: Io): RunObserver {
  const reporter = createReporter(io.stderr, quiet);
  io.signal.addEventListener('abort', () =>
    reporter.note('stopping: waiting for what is in flight (again to stop at once)'),
  );
  return {
    note: (text) => reporter.note(text),
    phaseStarted: (progress) => reporter.started(progress),
    phaseEnded: () => reporter.ended(),
    async save(report) {
      const unsaved = await saver.save(report);
      // Later ones are reported at the end, after the summary.
      if (report.state === 'started' && unsaved.length > 0) throw new UsageError(unsaved.join('\n'));
    },
  };
}
