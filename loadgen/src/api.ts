/**
 * The generator as a library: `import { run } from 'exact-load'`. Sends one run and returns its report. Prints nothing and does not
 * touch the process; workers and shards, which need several processes, are available only on the command line.
 */
import type { z } from 'zod';
import { CheckError, InterruptedError, UnreachableError, UsageError } from './common/errors.ts';
import type { PatternInput, targetSchema } from './pattern/pattern.ts';
import type { PhaseReport, Report } from './report/report.ts';
import { verdictOf } from './report/verdict.ts';
import { describeEnvironment } from './run/environment.ts';
import { readOptions } from './run/options.ts';
import { run as runWith } from './run/run.ts';
import { createSender } from './run/sender.ts';

export type { PatternInput, PhaseReport, Report };
export { CheckError, InterruptedError, UnreachableError, UsageError, verdictOf };

/**
 * The request to `url`: `method` (by default GET, or POST with a body), `headers`, `body` (an object or a list is sent as JSON), the
 * status to `expect`, and the labels of its `series`, without which only sums are verified.
 */
export type RequestOptions = Omit<z.input<typeof targetSchema>, 'path' | 'weight' | 'count'>;

/**
 * Either `url` with `requests`, or `url` with `rate` and `duration`, or `pattern` with `target`. Times are strings: `250ms`, `30s`,
 * `5m`.
 */
export interface RunOptions extends RequestOptions {
  /** The URL of every request, for example `http://127.0.0.1:3000/users/7?full=1`. */
  readonly url?: string | undefined;
  /** The exact number of requests, sent at `rate` or as fast as the connections allow. */
  readonly requests?: number | undefined;
  /** Requests per second; `max` means as fast as the connections allow. For a pattern, its highest rate. */
  readonly rate?: number | 'max' | undefined;
  readonly duration?: string | undefined;
  /** The content of a pattern file, its path, or the name of a built-in pattern. */
  readonly pattern?: string | PatternInput | undefined;
  /** The server for the requests of a pattern, for example `http://127.0.0.1:3000`. */
  readonly target?: string | undefined;
  /** The maximum number of requests in flight at a time. */
  readonly connections?: number | undefined;
  /** The limit for one request; 10s by default. */
  readonly timeout?: string | undefined;
  /** For example `p99<250ms`, `errors<1%`, `dropped=0`; by default every request must get a response. */
  readonly thresholds?: readonly string[] | undefined;
  /** Determines the order of the requests; 1 by default. */
  readonly seed?: number | undefined;
  /** Sends a `traceparent` with each request; the report lists the slowest requests with their ids. Default: false. */
  readonly trace?: boolean | undefined;
  /** Accept any certificate of the target. */
  readonly insecure?: boolean | undefined;
  /** PEM files: the certificate authorities of the target, the client certificate, and its key. */
  readonly cacert?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** The URL of the Prometheus to compare with. */
  readonly prometheus?: string | undefined;
  readonly prometheusTokenFile?: string | undefined;
  readonly prometheusCaFile?: string | undefined;
  /** The target's job in Prometheus; `api` by default. */
  readonly job?: string | undefined;
  /** The metrics that count the target's requests: a mapping, a preset's name, or `{ preset, ignoreRoutes }`. Detected by default. */
  readonly metrics?: PatternInput['metrics'] | undefined;
  /** How long to wait for the target, for Prometheus and for a scrape; 30s by default. */
  readonly wait?: string | undefined;
  /** Stops sending; requests in flight are awaited, and the report's state is `interrupted`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends load. A threshold that is not met is not an error: the report contains it, and `verdictOf(report)` takes it into account.
 * @throws UsageError with every problem of the options, one per line
 * @throws UnreachableError if the target or Prometheus does not respond in time, or Prometheus refuses the credentials
 * @throws InterruptedError if the signal aborts before the first request
 */
export async function run(options: RunOptions): Promise<Report> {
  const { options: read, origin, phases, prometheus, metrics } = await readOptions({ ...options });
  // A simple signal, because it is checked before each request, and checking a combined one costs ten times as much.
  const stop = new AbortController();
  const abort = () => stop.abort();
  if (read.signal?.aborted) abort();
  read.signal?.addEventListener('abort', abort);
  const observer = { note() {}, phaseStarted() {}, phaseEnded() {}, async save() {} };
  const common = { waitMs: read.wait, signal: stop.signal, observer };
  try {
    const outcome = await runWith({
      ...common,
      origin,
      sender: createSender({ ...common, origin, phases }),
      seed: read.seed,
      shard: { index: 1, of: 1 },
      startAtMs: undefined,
      prometheus,
      job: read.job,
      metrics,
      verify: true,
      onlyOnFreshApi: false,
      environment: describeEnvironment([]),
    });
    if ('alreadyHandled' in outcome) throw new TypeError('only a run that wants a fresh API ends like this');
    if (outcome.unverified !== undefined) throw outcome.unverified;
    return outcome.report;
  } finally {
    read.signal?.removeEventListener('abort', abort);
  }
}
