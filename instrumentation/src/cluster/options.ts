/** The options of `aggregate`, their defaults, and their validation. */
import type { Cluster } from 'node:cluster';
import type { Registry } from '../installed-registry.ts';
import type { AnyRegistry } from '../library.ts';
import {
  CHECKS,
  expects,
  type InstrumentOptions,
  problemsOf,
  resolveOptions,
  type Settings,
} from '../options.ts';

export interface AggregateOptions<R extends AnyRegistry = Registry>
  extends Pick<InstrumentOptions<R>, 'registry' | 'prefix' | 'defaultMetrics' | 'maxScrapes' | 'warn'> {
  /**
   * How often each worker reports, in milliseconds. A killed worker loses no more than it counted in this time.
   * Default: 1000.
   */
  readonly reportIntervalMs?: number;
  /** How long a scrape waits for workers, in milliseconds; then it shows their last reports. Default: 1000. */
  readonly answerTimeoutMs?: number;
}

const expectsMs = expects(
  'milliseconds from 10 to 60000',
  (ms) => typeof ms === 'number' && ms >= 10 && ms <= 60_000,
);
const { registry, prefix, defaultMetrics, maxScrapes, warn } = CHECKS;
const OWN_CHECKS = {
  ...{ registry, prefix, defaultMetrics, maxScrapes, warn },
  ...{ reportIntervalMs: expectsMs, answerTimeoutMs: expectsMs },
};

/** @throws TypeError that lists every problem, one per line */
export function resolveAggregateOptions(
  workers: unknown,
  options: AggregateOptions<AnyRegistry>,
): Settings & Required<Pick<AggregateOptions, 'reportIntervalMs' | 'answerTimeoutMs'>> {
  const problems = problemsOf(options, OWN_CHECKS);
  if (!isPrimary(workers) && !isThreads(workers))
    problems.unshift(
      `workers: expected the cluster of a primary, or an array of threads, got ${show(workers)}`,
    );
  if (problems.length > 0) throw new TypeError(`aggregate: ${problems.join('\n')}`);
  const { reportIntervalMs = 1_000, answerTimeoutMs = 1_000, ...rest } = options;
  return { ...resolveOptions(rest), reportIntervalMs, answerTimeoutMs };
}

const show = (got: unknown) =>
  (got as Partial<Cluster> | undefined)?.isWorker ? 'that of a worker' : typeof got;
const isPrimary = (value: unknown) => (value as Partial<Cluster> | undefined)?.isPrimary === true;
const isThreads = (value: unknown) =>
  Array.isArray(value) && value.every((one) => typeof one?.threadId === 'number');
