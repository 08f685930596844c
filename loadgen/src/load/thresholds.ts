/** Conditions on the numbers of a run, for example `p99<250ms`, `errors<1%`, `dropped=0`. */
import { z } from 'zod';
import { formatMs, formatNumber, parseDurationMs } from '../common/units.ts';
import { LATENCY_METRICS, type LatencyMetric } from './histogram.ts';
import type { Numbers } from './numbers.ts';

const COUNTS = ['errors', 'unanswered', 'dropped'] as const;
const METRICS = [...LATENCY_METRICS, ...COUNTS, 'rate'] as const;
export const THRESHOLD_FORM =
  'a threshold: p50, p90, p95, p99, p99.9, max or mean with a duration (p99<250ms); errors, unanswered or dropped ' +
  'with a number or a share (errors<1%, dropped=0); rate with a number (rate>=100)';
export const THRESHOLD_PATTERN =
  /^(?:(p50|p90|p95|p99|p99\.9|max|mean)\s*(<=?|>=?|=)\s*(\d+(?:\.\d+)?(?:ms|s|m|h))|(errors|unanswered|dropped)\s*(<=?|>=?|=)\s*(\d+(?:\.\d+)?%?)|(rate)\s*(<=?|>=?|=)\s*(\d+(?:\.\d+)?))$/;

export interface Threshold {
  readonly text: string;
  readonly metric: LatencyMetric | (typeof COUNTS)[number] | 'rate';
  readonly operator: string;
  /** In ms for a latency, in percent for a share. */
  readonly limit: number;
  readonly isShare: boolean;
}

/** The numbers that thresholds can refer to. */
export type Measured = Pick<
  Numbers,
  'sent' | 'unsent' | 'dropped' | 'errors' | 'unanswered' | 'achievedPerSecond' | 'latencyMs'
>;

export const thresholdResultSchema = z.strictObject({
  threshold: z.string(),
  ok: z.boolean(),
  measured: z.string().meta({ description: 'The measured value as text, or why there is none.' }),
});
export type ThresholdResult = z.output<typeof thresholdResultSchema>;

/** @throws TypeError if {@link THRESHOLD_PATTERN} does not match the text */
export function parseThreshold(text: string): Threshold {
  const parts = (THRESHOLD_PATTERN.exec(text) ?? []).filter((part) => part !== undefined);
  const [, metric, operator, limit] = parts;
  if (metric === undefined || operator === undefined || limit === undefined || !isOneOf(METRICS, metric))
    throw new TypeError(`not a threshold: ${text}`);
  return {
    text,
    metric,
    operator,
    limit: parseDurationMs(limit) ?? Number.parseFloat(limit),
    isShare: limit.endsWith('%'),
  };
}

/** A threshold with no samples fails. */
export function checkThreshold(threshold: Threshold, measured: Measured): ThresholdResult {
  const { text, operator, limit } = threshold;
  const { value, shown } = measuredValue(threshold, measured);
  if (Number.isNaN(value)) return { threshold: text, ok: false, measured: 'no samples' };
  return { threshold: text, ok: holds(value, operator, limit), measured: shown };
}

function measuredValue({ metric, isShare }: Threshold, measured: Measured): { value: number; shown: string } {
  if (isOneOf(LATENCY_METRICS, metric)) {
    const value = measured.latencyMs?.[metric] ?? Number.NaN;
    return { value, shown: formatMs(value) };
  }
  // The number of all requests that were due.
  const requests = measured.sent + measured.unsent + measured.dropped;
  if (requests === 0) return { value: Number.NaN, shown: '' };
  if (metric === 'rate')
    return { value: measured.achievedPerSecond, shown: formatNumber(measured.achievedPerSecond) };
  const count = measured[metric];
  const share = (100 * count) / requests;
  return isShare
    ? { value: share, shown: `${Number(share.toPrecision(3))}%` }
    : { value: count, shown: formatNumber(count) };
}

function holds(value: number, operator: string, limit: number): boolean {
  if (operator === '=') return value === limit;
  if (operator === '<=') return value <= limit;
  if (operator === '>=') return value >= limit;
  return operator === '<' ? value < limit : value > limit;
}

function isOneOf<T extends string>(options: readonly T[], text: string): text is T {
  return (options as readonly string[]).includes(text);
}
