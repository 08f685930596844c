/** `loadgen run`: flags and pattern names to a run, its outcome to text and an exit code. */
import { EXIT, UsageError } from '../common/errors.ts';
import { formatCount, formatNumber } from '../common/units.ts';
import { parseOrigin } from '../http/origin.ts';
import { isWhole, type Shard, WHOLE } from '../load/shard.ts';
import type { Threshold } from '../load/thresholds.ts';
import { describeEnvironment } from '../run/environment.ts';
import type { Overrides } from '../run/plan.ts';
import { type RunObserver, run } from '../run/run.ts';
import { createSender, type Sender, type SenderOptions } from '../run/sender.ts';
import { createWorkerPool } from '../run/worker-pool.ts';
import type { Io } from './io.ts';
import { type Outputs, openOutputs, type Saver, showOutcome } from './outcome.ts';
import { createPaint } from './paint.ts';
import { planPatterns, readPatterns } from './patterns.ts';
import {
  createLineReporter,
  createLiveReporter,
  createSilentReporter,
  type ProgressReporter,
} from './progress.ts';
import { connectPrometheus, type PrometheusFlags } from './prometheus-flags.ts';
import { showVerified } from './verify-command.ts';

export interface RunFlags extends Outputs, PrometheusFlags {
  readonly target: string;
  readonly rate?: number | 'max';
  readonly duration?: number;
  readonly connections?: number;
  readonly timeout?: number;
  readonly seed: number;
  readonly threshold: readonly Threshold[];
  readonly quiet?: true;
  readonly verify?: boolean;
  readonly onlyOnFreshApi?: true;
  readonly shard?: Shard;
  readonly startAt?: number;
  readonly workers?: number;
  readonly job: string;
  readonly wait: number;
}

export async function runCommand(
  names: readonly string[],
  flags: RunFlags,
  commandLine: readonly string[],
  io: Io,
): Promise<number> {
  checkFlags(flags);
  const { shard = WHOLE, wait: waitMs, seed } = flags;
  const prometheus = await connectPrometheus(flags, waitMs, io);
  const saver = await openOutputs(flags, io.signal);
  const observer = createObserver(flags, saver, io);
  const outcome = await run({
    target: parseOrigin(flags.target).url,
    sender: await createSenders(names, flags, observer, io),
    seed,
    shard,
    startAtMs: flags.startAt,
    waitMs,
    prometheus,
    job: flags.job,
    verify: flags.verify ?? prometheus !== undefined,
    onlyOnFreshApi: flags.onlyOnFreshApi ?? false,
    environment: describeEnvironment(commandLine),
    signal: io.signal,
    observer,
  });
  if ('alreadyHandled' in outcome) {
    const { alreadyHandled, snapshot } = outcome;
    io.stdout.write(`the API has already handled ${formatCount(alreadyHandled, 'request')}: nothing sent\n`);
    if (flags.ledger !== undefined) await showVerified(flags.ledger, snapshot, io);
    return EXIT.ok;
  }
  return showOutcome(outcome, flags, saver, io);
}

function checkFlags({ prometheus, verify, ledger, onlyOnFreshApi, shard = WHOLE, startAt }: RunFlags): void {
  const needing = [
    verify === true && '--verify',
    ledger !== undefined && '--ledger',
    onlyOnFreshApi && '--only-on-fresh-api',
  ].filter((flag) => typeof flag === 'string');
  if (prometheus === undefined && needing.length > 0)
    throw new UsageError(`${needing.join(', ')}: needs --prometheus <url>`);
  if (verify === true && !isWhole(shard))
    throw new UsageError('--verify: a shard cannot be verified alone; `loadgen combine` verifies the sum');
  const lateMs = Date.now() - (startAt ?? Number.POSITIVE_INFINITY);
  if (lateMs > 0)
    throw new UsageError(`--start-at: expected a moment to come, got one ${formatNumber(lateMs)} ms ago`);
}

async function createSenders(
  names: readonly string[],
  flags: RunFlags,
  observer: RunObserver,
  io: Io,
): Promise<Sender> {
  const { shard = WHOLE, workers = 1, wait: waitMs, target } = flags;
  const overrides = toOverrides(flags);
  const patterns = await readPatterns(names);
  const phases = planPatterns(patterns, overrides, shard);
  const options: SenderOptions = { origin: parseOrigin(target), phases, waitMs, observer, signal: io.signal };
  const own = createSender(options);
  if (workers === 1) return own;
  // A mistake that only the parts would find is told here, before any of them is started.
  planPatterns(patterns, overrides, { index: shard.index, of: shard.of * workers });
  const { startWorker } = io;
  return createWorkerPool(
    { ...options, workers, shard, startWorker, job: { target, patterns, overrides, waitMs } },
    own,
  );
}

function toOverrides({ rate, duration, connections, timeout, threshold, seed }: RunFlags): Overrides {
  return {
    ratePerSecond: rate,
    durationMs: duration,
    connections,
    timeoutMs: timeout,
    thresholds: threshold,
    seed,
  };
}

function createObserver(flags: RunFlags, saver: Saver, io: Io): RunObserver {
  const reporter = createReporter(flags, io);
  const note = (text: string) => void (flags.quiet || reporter.note(text));
  io.signal.addEventListener('abort', () =>
    note('stopping: waiting for what is in flight (again to stop at once)'),
  );
  return {
    note,
    phaseStarted: (progress) => reporter.started(progress),
    phaseEnded: () => reporter.ended(),
    async save(report) {
      const unsaved = await saver.save(report);
      // Later ones are reported at the end, after the summary.
      if (report.state === 'started' && unsaved.length > 0) throw new UsageError(unsaved.join('\n'));
    },
  };
}

function createReporter({ quiet }: RunFlags, { stderr }: Io): ProgressReporter {
  const write = (text: string) => void stderr.write(text);
  if (quiet) return createSilentReporter(write);
  return stderr.isTTY ? createLiveReporter(write, createPaint(stderr)) : createLineReporter(write);
}
