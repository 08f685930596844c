/**
 * Collects the numbers of one phase of a run. It keeps two durations per response: *latency*, from the intended start, is the time
 * that a user would have waited; *service time*, from sending the request, is the time that the server took. The difference is the
 * generator's lateness.
 */
import type { ExpectedCount } from '../common/expected-counts.ts';
import type { FailureKind, Recorder } from '../common/result.ts';
import { sumRecords } from '../common/sums.ts';
import { createHistogram, percentileMs, record } from './histogram.ts';
import { describeDurations, type Numbers } from './numbers.ts';
import { Slowest } from './slowest.ts';
import { type NamedTarget, TargetCounts } from './target-counts.ts';
import { Timeline } from './timeline.ts';

export interface SummaryOptions {
  readonly startMs: number;
  /** The planned duration of the phase; undefined if it ends by count. */
  readonly plannedMs: number | undefined;
  readonly targets: readonly NamedTarget[];
}

export class Summary implements Recorder {
  #lastEndedMs = Number.NEGATIVE_INFINITY;
  #lastSentMs = Number.NEGATIVE_INFINITY;
  readonly #failures = new Map<FailureKind, number>();
  readonly #latency = createHistogram(3);
  readonly #serviceTime = createHistogram(3);
  readonly #lateness = createHistogram(3);
  readonly #slowest = new Slowest();
  readonly #targets: readonly NamedTarget[];
  readonly #timeline: Timeline;
  readonly #startMs: number;
  readonly #byTarget: TargetCounts;

  constructor({ startMs, plannedMs, targets }: SummaryOptions) {
    this.#startMs = startMs;
    this.#targets = targets;
    this.#byTarget = new TargetCounts(targets);
    this.#timeline = new Timeline(startMs, plannedMs);
  }

  recordAnswer(
    target: number,
    status: number,
    intendedMs: number,
    sentMs: number,
    endedMs: number,
    traceId?: string,
  ): void {
    this.#recordSent(intendedMs, sentMs, endedMs);
    if (traceId !== undefined) this.#trace(traceId, target, String(status), intendedMs, sentMs, endedMs);
    const isExpected = this.#byTarget.answered(target, status, endedMs - sentMs);
    record(this.#serviceTime, endedMs - sentMs);
    record(this.#latency, endedMs - intendedMs);
    const interval = this.#timeline.at(endedMs);
    interval.answered++;
    if (!isExpected) interval.errors++;
    this.#timeline.took(intendedMs, endedMs - intendedMs, endedMs - sentMs);
  }

  recordFailure(
    target: number,
    kind: FailureKind,
    intendedMs: number,
    sentMs: number,
    endedMs: number,
    traceId?: string,
  ): void {
    const wasSent = !Number.isNaN(sentMs);
    if (wasSent) this.#recordSent(intendedMs, sentMs, endedMs);
    if (wasSent && traceId !== undefined) this.#trace(traceId, target, kind, intendedMs, sentMs, endedMs);
    this.#byTarget.of(target)[wasSent ? 'unknown' : 'notSent']++;
    this.#failures.set(kind, (this.#failures.get(kind) ?? 0) + 1);
    this.#timeline.at(endedMs).errors++;
    if (kind !== 'timeout') return;
    // A user whose request timed out has waited that long. Without timeouts, a longer stall would give a better result.
    record(this.#latency, endedMs - intendedMs);
    this.#timeline.took(intendedMs, endedMs - intendedMs, Number.NaN);
  }

  recordDrop(target: number, intendedMs: number): void {
    this.#byTarget.of(target).dropped++;
    this.#timeline.at(intendedMs).dropped++;
  }

  live() {
    const { sent, errors, dropped } = this.#byTarget.totals();
    const [p50Ms, p99Ms] = [percentileMs(this.#latency, 50), percentileMs(this.#latency, 99)];
    return { sent, errors, dropped, p50Ms, p99Ms };
  }

  /**
   * @param scheduledMs the duration of the schedule, or the time until it was stopped; the achieved rate refers to at least that
   * time. 0 for a closed loop
   */
  toNumbers(scheduledMs: number): Numbers {
    const totals = this.#byTarget.totals();
    const byTarget = this.#byTarget.toReport();
    const lastMs = scheduledMs > 0 ? this.#lastSentMs : this.#lastEndedMs;
    const sendingSeconds = Math.max(scheduledMs, lastMs - this.#startMs, 0) / 1000;
    return {
      ...totals,
      statuses: sumRecords(byTarget.map(({ statuses }) => statuses)),
      failures: Object.fromEntries(this.#failures),
      sendingSeconds,
      achievedPerSecond: sendingSeconds > 0 ? totals.sent / sendingSeconds : 0,
      ...describeDurations(this.#latency, this.#serviceTime, this.#lateness),
      byTarget,
      slowest: [...this.#slowest.kept],
      timeline: this.#timeline.toReport(),
    };
  }

  bySeries(): ExpectedCount[] {
    return this.#byTarget.bySeries();
  }

  #trace(
    traceId: string,
    target: number,
    endedWith: string,
    intendedMs: number,
    sentMs: number,
    endedMs: number,
  ): void {
    this.#slowest.add(endedMs - sentMs, () => {
      const { method, path } = this.#targets[target] as NamedTarget;
      return { traceId, target: `${method} ${path}`, endedWith, latencyMs: endedMs - intendedMs };
    });
  }

  #recordSent(intendedMs: number, sentMs: number, endedMs: number): void {
    if (sentMs > this.#lastSentMs) this.#lastSentMs = sentMs;
    this.#lastEndedMs = endedMs;
    record(this.#lateness, sentMs - intendedMs);
    this.#timeline.at(sentMs).sent++;
  }
}
