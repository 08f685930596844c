/**
 * The generator as a library: `import { run } from 'exact-load'`. One run, from its options to its report. It prints nothing and
 * leaves the process alone; what takes several processes (workers, shards) is left to the command line.
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
 * What every request to `url` is: `method` (GET by default, and with a body POST), `headers`, `body`, the status to `expect`, and the
 * labels of its `series`.
 */
export type RequestOptions = Omit<z.input<typeof targetSchema>, 'path' | 'weight' | 'count'>;

/** Either `url` with `requests` or with `rate` and `duration`, or `pattern` with `target`. Times are texts: `250ms`, `30s`, `5m`. */
export interface RunOptions extends RequestOptions {
  /** What every request asks for, such as `http://127.0.0.1:3000/users/7?full=1`. */
  readonly url?: string | undefined;
  /** Exactly so many, as fast as the connections allow, or at `rate`. */
  readonly requests?: number | undefined;
  /** Requests per second; `max` is as fast as the connections allow. For a pattern its highest rate. */
  readonly rate?: number | 'max' | undefined;
  readonly duration?: string | undefined;
  /** What a pattern file holds, its path, or the name of a built-in pattern. */
  readonly pattern?: string | PatternInput | undefined;
  /** Where the requests of a pattern go, such as `http://127.0.0.1:3000`. */
  readonly target?: string | undefined;
  /** Most requests in flight at a time. */
  readonly connections?: number | undefined;
  /** For one request; 10s by default. */
  readonly timeout?: string | undefined;
  /** Such as `p99<250ms`, `errors<1%`, `dropped=0`; by default every request has to be answered. */
  readonly thresholds?: readonly string[] | undefined;
  /** Another seed, another order; 1 by default. */
  readonly seed?: number | undefined;
  /** A `traceparent` for each request; the report lists the slowest with their ids. Default: false. */
  readonly trace?: boolean | undefined;
  /** Accept any certificate of the target. */
  readonly insecure?: boolean | undefined;
  /** A file with the certificate authorities of the target, and files with the certificate of the client and its key; all in PEM. */
  readonly cacert?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** The URL of the Prometheus with which the run is compared. */
  readonly prometheus?: string | undefined;
  readonly prometheusTokenFile?: string | undefined;
  readonly prometheusCaFile?: string | undefined;
  /** The job of the target in Prometheus; `api` by default. */
  readonly job?: string | undefined;
  /** Which metrics of the target count its requests: a mapping, or the name of a preset; found by itself by default. */
  readonly metrics?: PatternInput['metrics'] | undefined;
  /** How long to wait for the target, for Prometheus and for a scrape; 30s by default. */
  readonly wait?: string | undefined;
  /** Ends the sending; what is in flight is waited for, and the report says `interrupted`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends load. A threshold that does not hold is no error: the report has it, and `verdictOf(report)` sums it up.
 * @throws UsageError with every problem of the options, one a line
 * @throws UnreachableError when the target or Prometheus does not answer in time, or Prometheus refuses the credentials
 * @throws InterruptedError when the signal aborts before the first request
 */
export async function run(options: RunOptions): Promise<Report> {
  const { options: read, origin, phases, prometheus, metrics } = await readOptions({ ...options });
  // One that a caller has combined of others costs ten times as much to ask, which is done for each request.
  const stop = new AbortController();
  const abort = () => stop.abort();
  if (read.signal?.aborted) abort();
  read.signal?.addEventListener('abort', abort);
  const observer = { note() {}, phaseStarted() {}, phaseEnded() {}, async save() {} };
  const common = { waitMs: read.wait, signal: stop.signal, observer };
  try {
    const outcome = await runWith({
      ...common,
      target: origin.url,
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
