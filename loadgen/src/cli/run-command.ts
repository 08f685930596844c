/** The commands `exact-load <url>` and `exact-load run`: start a run from flags and a URL or patterns, and show its outcome. */
import { EXIT, UsageError } from '../common/errors.ts';
import { readArgument } from '../common/input.ts';
import { AUTO, withIgnored } from '../common/metrics.ts';
import { hideInArguments } from '../common/secrets.ts';
import { formatCount, formatNumber } from '../common/units.ts';
import { formatVerification } from '../report/text/verification-table.ts';
import { connectPrometheus } from '../run/connect-prometheus.ts';
import { describeEnvironment } from '../run/environment.ts';
import { type Outputs, openOutputs, type Saver } from '../run/outputs.ts';
import type { Overrides } from '../run/plan.ts';
import { prepareSender, type SendOptions } from '../run/prepare.ts';
import { readMetrics } from '../run/read-metrics.ts';
import { type NotFresh, type RunObserver, run } from '../run/run.ts';
import { readTls, type TlsFlags } from '../run/tls-files.ts';
import { createUrlPattern, parseRequestUrl, withJsonType } from '../run/url-pattern.ts';
import { findVerified } from '../run/verify-sent.ts';
import type { Io, PrometheusFlags } from './io.ts';
import { showOutcome } from './outcome.ts';
import { createReporter } from './progress.ts';

interface SendFlags extends Outputs, PrometheusFlags, TlsFlags {
  readonly rate?: number | 'max';
  readonly duration?: number;
  readonly connections?: number;
  readonly timeout?: number;
  readonly seed: number;
  readonly trace?: true;
  readonly threshold: Overrides['thresholds'];
  readonly verify?: boolean;
  readonly onlyOnFreshApi?: true;
  readonly shard?: NonNullable<SendOptions['shard']>;
  readonly startAt?: number;
  readonly metrics?: string;
  readonly ignoreRoute?: readonly string[];
  readonly probe?: true;
  readonly workers: number;
}

export interface RunFlags extends SendFlags {
  readonly target: string;
}

export interface UrlFlags extends SendFlags {
  readonly requests?: number;
  readonly method?: string;
  readonly header?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly route?: string;
}

const URL_DURATION_MS = 10_000;

/** @returns the exit code */
export async function urlCommand(
  url: string,
  flags: UrlFlags,
  commandLine: readonly string[],
  io: Io,
): Promise<number> {
  const { requests, rate = 'max', duration, method, header = {} } = flags;
  if (/^[\w-]+$/.test(url)) throw new UsageError(`expected a URL or a command (see --help), got "${url}"`);
  if (requests !== undefined && duration !== undefined)
    throw new UsageError('--requests, --duration: expected one of the two, got both');
  const parsed = parseRequestUrl('URL', url, "use -H 'Authorization: ...'");
  const body = flags.body === undefined ? undefined : await readArgument('--body', flags.body, io);
  const isJsonFile = /^@.*\.json$/i.test(flags.body ?? '');
  const headers = isJsonFile ? withJsonType(header) : header;
  const length = requests === undefined ? { rate, duration: duration ?? URL_DURATION_MS } : { requests };
  const series = flags.route === undefined ? undefined : { route: flags.route };
  const pattern = createUrlPattern(parsed, { method, headers, body, series, ...length });
  // The duration is already in the pattern. The rate decides between the open model and the closed loop.
  const { duration: _, ...rest } = flags;
  return runCommand([pattern], { ...rest, rate, target: parsed.origin }, commandLine, io);
}

/** @returns the exit code */
export async function runCommand(
  patterns: SendOptions['patterns'],
  flags: RunFlags,
  commandLine: readonly string[],
  io: Io,
): Promise<number> {
  checkFlags(flags);
  const { seed, workers, startAt, job, wait: waitMs, onlyOnFreshApi = false } = flags;
  const url = flags.prometheus || undefined;
  const prometheus = url === undefined ? undefined : await connectPrometheus(url, flags, io.env, waitMs);
  const given = flags.metrics === undefined ? undefined : await readMetrics(flags.metrics);
  const saver = await openOutputs(flags, io.signal);
  const observer = createObserver(flags, saver, io);
  const { signal, startWorker } = io;
  const common = { waitMs, observer, signal };
  const { target, shard } = flags;
  const sending = { target, tls: await readTls(flags), shard, workers, overrides: toOverrides(flags) };
  const prepared = await prepareSender({ ...common, ...sending, patterns, startWorker });
  const outcome = await run({
    ...common,
    ...prepared,
    metrics: withIgnored(given ?? prepared.metrics ?? AUTO, flags.ignoreRoute),
    seed,
    startAtMs: startAt,
    prometheus,
    job,
    verify: flags.verify ?? true,
    onlyOnFreshApi,
    probe: flags.probe,
    environment: describeEnvironment(hideInArguments(commandLine)),
  });
  if ('alreadyHandled' in outcome) return showNotFresh(outcome, flags, io);
  return showOutcome(outcome, flags, saver, io);
}

async function showNotFresh({ alreadyHandled, snapshot }: NotFresh, { ledger }: RunFlags, io: Io) {
  io.stdout.write(`the API has already handled ${formatCount(alreadyHandled, 'request')}: nothing sent\n`);
  const verified = ledger === undefined ? undefined : await findVerified(ledger, snapshot);
  if (verified) io.stdout.write(`${formatVerification(verified).join('\n')}\n`);
  return EXIT.ok;
}

function checkFlags({ prometheus, verify, ledger, onlyOnFreshApi, probe, shard, startAt }: RunFlags): void {
  const needing = [
    verify === true && '--verify',
    ledger !== undefined && '--ledger',
    onlyOnFreshApi && '--only-on-fresh-api',
    probe && '--probe',
  ].filter((flag) => typeof flag === 'string');
  if (prometheus === undefined && needing.length > 0)
    throw new UsageError(`${needing.join(', ')}: needs --prometheus <url>`);
  if (verify === true && shard !== undefined && shard.of > 1)
    throw new UsageError('--verify: a shard cannot be verified alone; `exact-load combine` verifies the sum');
  if (probe && (verify === false || (shard !== undefined && shard.of > 1)))
    throw new UsageError('--probe: expected only if a whole run is verified');
  const lateMs = Date.now() - (startAt ?? Number.POSITIVE_INFINITY);
  if (lateMs > 0)
    throw new UsageError(`--start-at: expected a time in the future, got one ${formatNumber(lateMs)} ms ago`);
}

function toOverrides({ rate, duration, connections, timeout, threshold, seed, trace }: RunFlags): Overrides {
  const given = { ratePerSecond: rate, durationMs: duration, connections, timeoutMs: timeout };
  return { ...given, thresholds: threshold, seed, trace };
}

function createObserver({ quiet }: RunFlags, saver: Saver, io: Io): RunObserver {
  const reporter = createReporter(io.stderr, quiet);
  io.signal.addEventListener('abort', () =>
    reporter.note('stopping: waiting for requests in flight (interrupt again to stop immediately)'),
  );
  return {
    ...reporter,
    async save(report) {
      const unsaved = await saver.save(report);
      // Errors that occur later are reported at the end, after the summary.
      if (report.state === 'started' && unsaved.length > 0) throw new UsageError(unsaved.join('\n'));
    },
  };
}
