/** The options of `aggregate`, their defaults, and everything that can be wrong with them. */
import type { InstrumentOptions } from '../options.ts';
import { resolveOptions, type Settings } from '../options.ts';

export interface AggregateOptions
  extends Pick<InstrumentOptions, 'prefix' | 'defaultMetrics' | 'maxScrapes' | 'warn'> {
  /**
   * How often each worker reports, in milliseconds: of one that is killed, no more than the last so many are lost.
   * Default: 1000.
   */
  readonly reportIntervalMs?: number;
  /** How long a scrape waits for workers, in milliseconds; of those that do not answer, it has their last report. Default: 1000. */
  readonly answerTimeoutMs?: number;
}

export type AggregateSettings = Pick<Settings, 'prefix' | 'defaultMetrics' | 'maxScrapes' | 'warn'> &
  Required<Pick<AggregateOptions, 'reportIntervalMs' | 'answerTimeoutMs'>>;

const COMMON = ['prefix', 'defaultMetrics', 'maxScrapes', 'warn'];

/** @throws TypeError that names what is wrong, what was expected and what came */
export function resolveAggregateOptions(
  workers: unknown,
  { reportIntervalMs = 1_000, answerTimeoutMs = 1_000, ...rest }: AggregateOptions,
): AggregateSettings {
  const problems = [
    expect(
      'workers',
      isPrimary(workers) || isThreads(workers),
      'the cluster of a primary, or an array of threads',
      workers,
    ),
    expect(
      'reportIntervalMs',
      isMilliseconds(reportIntervalMs),
      'milliseconds from 10 to 60000',
      reportIntervalMs,
    ),
    expect(
      'answerTimeoutMs',
      isMilliseconds(answerTimeoutMs),
      'milliseconds from 10 to 60000',
      answerTimeoutMs,
    ),
    ...Object.keys(rest).map((name) =>
      expect(
        name,
        COMMON.includes(name),
        `no option but ${COMMON.join(', ')}, reportIntervalMs, answerTimeoutMs`,
        name,
      ),
    ),
  ].filter((problem) => problem !== undefined);
  if (problems.length > 0) throw new TypeError(`aggregate: ${problems.join('\n')}`);
  return { ...resolveOptions(rest, 'aggregate'), reportIntervalMs, answerTimeoutMs };
}

const expect = (name: string, holds: boolean, expected: string, got: unknown) =>
  holds
    ? undefined
    : `${name}: expected ${expected}, got ${typeof got === 'object' ? describe(got) : String(got)}`;

const describe = (got: object | null) =>
  got && 'isWorker' in got ? 'that of a worker' : `${got && 'an object'}`;

const isPrimary = (value: unknown) =>
  typeof value === 'object' && value !== null && (value as { isPrimary?: unknown }).isPrimary === true;
const isThreads = (value: unknown) =>
  Array.isArray(value) && value.every((one) => typeof one?.threadId === 'number');
const isMilliseconds = (value: unknown) => typeof value === 'number' && value >= 10 && value <= 60_000;
