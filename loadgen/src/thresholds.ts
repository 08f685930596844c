/** Conditions on the numbers of a run, such as `p99<250ms`, `errors<1%`, `dropped=0`. */
import { formatMs, formatNumber, parseDurationMs } from './units.ts';

/** What a threshold can be about: the numbers of one phase. Latencies in ms; NaN where there were no samples. */
export interface Measured {
  /** Requests that were due: sent, dropped, or failed to leave. */
  readonly requests: number;
  readonly errors: number;
  readonly unanswered: number;
  readonly dropped: number;
  readonly achievedPerSecond: number;
  readonly latencyMs: Readonly<Record<LatencyMetric, number>>;
}

const LATENCY_METRICS = ['p50', 'p90', 'p95', 'p99', 'p99.9', 'max', 'mean'] as const;
export type LatencyMetric = (typeof LATENCY_METRICS)[number];

const COUNTS = ['errors', 'unanswered', 'dropped'] as const;
export const THRESHOLD_FORM =
  'a threshold: p50, p90, p95, p99, p99.9, max or mean with a duration (p99<250ms); errors, unanswered or dropped ' +
  'with a number or a share (errors<1%, dropped=0); rate with a number (rate>=100)';
export const THRESHOLD_PATTERN =
  /^(?:(p50|p90|p95|p99|p99\.9|max|mean)\s*(<=?|>=?|=)\s*(\d+(?:\.\d+)?(?:ms|s|m|h))|(errors|unanswered|dropped)\s*(<=?|>=?|=)\s*(\d+(?:\.\d+)?%?)|(rate)\s*(<=?|>=?|=)\s*(\d+(?:\.\d+)?))$/;

export interface ThresholdResult {
  readonly threshold: string;
  readonly ok: boolean;
  /** The measured value as text, or why there is none. */
  readonly measured: string;
}

/** @param text one that {@link THRESHOLD_PATTERN} matches; others throw. A threshold over zero samples fails. */
export function checkThreshold(text: string, measured: Measured): ThresholdResult {
  const parts = (THRESHOLD_PATTERN.exec(text) ?? []).filter((part) => part !== undefined);
  const [, metric, operator, limit] = parts;
  if (metric === undefined || operator === undefined || limit === undefined)
    throw new TypeError(`not a threshold: ${text}`);
  const { value, shown } = measuredValue(metric, limit.endsWith('%'), measured);
  if (Number.isNaN(value)) return { threshold: text, ok: false, measured: 'no samples' };
  return { threshold: text, ok: holds(value, operator, limitOf(limit)), measured: shown };
}

function measuredValue(
  metric: string,
  asShare: boolean,
  measured: Measured,
): { value: number; shown: string } {
  if (isOneOf(LATENCY_METRICS, metric)) {
    const value = measured.latencyMs[metric];
    return { value, shown: formatMs(value) };
  }
  if (measured.requests === 0) return { value: Number.NaN, shown: '' };
  if (!isOneOf(COUNTS, metric))
    return { value: measured.achievedPerSecond, shown: formatNumber(measured.achievedPerSecond) };
  const count = measured[metric];
  const share = (100 * count) / measured.requests;
  return asShare
    ? { value: share, shown: `${Number(share.toPrecision(3))}%` }
    : { value: count, shown: formatNumber(count) };
}

function limitOf(text: string): number {
  return parseDurationMs(text) ?? Number.parseFloat(text);
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
