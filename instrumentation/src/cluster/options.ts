/** The options of `aggregate`, their defaults, and their validation. */
import type { Cluster } from 'node:cluster';
import { type InstrumentOptions, resolveOptions, type Settings } from '../options.ts';

export interface AggregateOptions
  extends Pick<InstrumentOptions, 'registry' | 'prefix' | 'defaultMetrics' | 'maxScrapes' | 'warn'> {
  /**
   * How often each worker reports, in milliseconds. A killed worker loses no more than it counted in this time.
   * Default: 1000.
   */
  readonly reportIntervalMs?: number;
  /** How long a scrape waits for workers, in milliseconds; then it shows their last reports. Default: 1000. */
  readonly answerTimeoutMs?: number;
}

export type AggregateSettings = Pick<Settings, 'prefix' | 'defaultMetrics' | 'maxScrapes' | 'warn'> &
  Required<Pick<AggregateOptions, 'reportIntervalMs' | 'answerTimeoutMs'>>;

const COMMON = ['registry', 'prefix', 'defaultMetrics', 'maxScrapes', 'warn'];

/** @throws TypeError that lists every problem, one a line: the name, what was expected and what was received */
export function resolveAggregateOptions(
  workers: unknown,
  { reportIntervalMs = 1_000, answerTimeoutMs = 1_000, ...rest }: AggregateOptions,
): AggregateSettings {
  const times = { reportIntervalMs, answerTimeoutMs };
  const problems = Object.entries(times)
    .filter(([, ms]) => !(typeof ms === 'number' && ms >= 10 && ms <= 60_000))
    .map(([name, ms]) => `${name}: expected milliseconds from 10 to 60000, got ${JSON.stringify(ms)}`);
  const known = [...COMMON, ...Object.keys(times)].join(', ');
  for (const name of Object.keys(rest))
    if (!COMMON.includes(name)) problems.push(`${name}: unknown option; expected one of ${known}`);
  if (!isPrimary(workers) && !isThreads(workers))
    problems.unshift(
      `workers: expected the cluster of a primary, or an array of threads, got ${show(workers)}`,
    );
  if (problems.length > 0) throw new TypeError(`aggregate: ${problems.join('\n')}`);
  return { ...resolveOptions(rest, 'aggregate'), ...times };
}

const show = (got: unknown) =>
  (got as Partial<Cluster> | undefined)?.isWorker ? 'that of a worker' : typeof got;
const isPrimary = (value: unknown) => (value as Partial<Cluster> | undefined)?.isPrimary === true;
const isThreads = (value: unknown) =>
  Array.isArray(value) && value.every((one) => typeof one?.threadId === 'number');
