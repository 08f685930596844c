/**
 * The numbers of one phase of a run. Two times are kept per answer: *latency*, from the intended start, is what a user
 * would have felt; *service time*, from the send, is what the server alone took. Their difference is the generator's lateness.
 */
import { build, type Histogram } from 'hdr-histogram-js';
import { FAILURE_KINDS, type FailureKind } from './result.ts';
import type { LatencyMetric, Measured } from './thresholds.ts';

export type Distribution = Record<LatencyMetric, number>;

/** The form in which a phase is reported. Times in ms, or null where there were no samples. */
export interface PhaseSummary {
  readonly sent: number;
  readonly answered: number;
  readonly dropped: number;
  readonly errors: number;
  readonly unanswered: number;
  readonly statuses: Record<string, number>;
  readonly failures: Partial<Record<FailureKind, number>>;
  readonly achievedPerSecond: number;
  readonly latencyMs: Distribution | null;
  readonly serviceTimeMs: Distribution | null;
  readonly latenessMs: Distribution | null;
}

const MICROSECONDS = 1000;
/** One hour; the histogram resizes itself for more. */
const HIGHEST_MICROSECONDS = 3_600_000_000;

export class Summary {
  sent = 0;
  answered = 0;
  dropped = 0;
  unanswered = 0;
  /** Requests that did not even leave. */
  unsent = 0;
  unexpected = 0;
  lastEndedMs = Number.NEGATIVE_INFINITY;
  #lastSentMs = Number.NEGATIVE_INFINITY;
  readonly statuses = new Map<number, number>();
  readonly failures = new Map<FailureKind, number>();
  readonly #latency = histogram();
  readonly #service = histogram();
  readonly #lateness = histogram();

  recordAnswer(status: number, expected: boolean, intendedMs: number, sentMs: number, endedMs: number): void {
    this.#recordSent(intendedMs, sentMs, endedMs);
    this.answered++;
    if (!expected) this.unexpected++;
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    record(this.#service, endedMs - sentMs);
    record(this.#latency, endedMs - intendedMs);
  }

  recordFailure(kind: FailureKind, intendedMs: number, sentMs: number, endedMs: number): void {
    if (Number.isNaN(sentMs)) this.unsent++;
    else this.#recordSent(intendedMs, sentMs, endedMs);
    this.unanswered++;
    this.failures.set(kind, (this.failures.get(kind) ?? 0) + 1);
    // A user whose request timed out has waited that long: leaving it out would make a stall look better the worse it is.
    if (kind === 'timeout') record(this.#latency, endedMs - intendedMs);
  }

  get errors(): number {
    return this.unexpected + this.unanswered;
  }

  /** Latency so far at a percentile, in ms. */
  latencyAtMs(percentile: number): number {
    return this.#latency.totalCount === 0
      ? Number.NaN
      : this.#latency.getValueAtPercentile(percentile) / MICROSECONDS;
  }

  /**
   * @param startMs when the phase began
   * @param scheduledMs how long its schedule is, or was until it was stopped; the achieved rate is over no less than
   * that. 0 for a closed loop
   */
  toPhase(startMs: number, scheduledMs: number): PhaseSummary {
    const elapsedMs = Math.max(
      scheduledMs,
      (scheduledMs > 0 ? this.#lastSentMs : this.lastEndedMs) - startMs,
    );
    return {
      sent: this.sent,
      answered: this.answered,
      dropped: this.dropped,
      errors: this.errors,
      unanswered: this.unanswered,
      statuses: Object.fromEntries([...this.statuses].sort(([a], [b]) => a - b)),
      failures: Object.fromEntries(FAILURE_KINDS.flatMap((kind) => entry(kind, this.failures.get(kind)))),
      achievedPerSecond: elapsedMs > 0 ? (this.sent * 1000) / elapsedMs : 0,
      latencyMs: toDistribution(this.#latency),
      serviceTimeMs: toDistribution(this.#service),
      latenessMs: toDistribution(this.#lateness),
    };
  }

  #recordSent(intendedMs: number, sentMs: number, endedMs: number): void {
    this.sent++;
    if (sentMs > this.#lastSentMs) this.#lastSentMs = sentMs;
    this.lastEndedMs = endedMs;
    record(this.#lateness, sentMs - intendedMs);
  }
}

/** What thresholds are checked against. */
export function toMeasured(phase: PhaseSummary, unsent: number): Measured {
  const nothing = { p50: NaN, p90: NaN, p95: NaN, p99: NaN, 'p99.9': NaN, max: NaN, mean: NaN };
  return { ...phase, requests: phase.sent + phase.dropped + unsent, latencyMs: phase.latencyMs ?? nothing };
}

function histogram(): Histogram {
  return build({
    highestTrackableValue: HIGHEST_MICROSECONDS,
    numberOfSignificantValueDigits: 3,
    autoResize: true,
  });
}

function record(into: Histogram, durationMs: number): void {
  into.recordValue(Math.max(0, Math.round(durationMs * MICROSECONDS)));
}

function toDistribution(from: Histogram): Distribution | null {
  if (from.totalCount === 0) return null;
  // A percentile is the upper end of its bucket, which may lie above the highest value that was recorded.
  const at = (percentile: number) =>
    Math.min(from.getValueAtPercentile(percentile), from.maxValue) / MICROSECONDS;
  return {
    mean: from.mean / MICROSECONDS,
    p50: at(50),
    p90: at(90),
    p95: at(95),
    p99: at(99),
    'p99.9': at(99.9),
    max: from.maxValue / MICROSECONDS,
  };
}

function entry<K extends string>(key: K, value: number | undefined): [K, number][] {
  return value === undefined ? [] : [[key, value]];
}
