/**
 * A phase over time: counts and distributions per interval. When a run exceeds all intervals, neighbouring pairs are merged and the
 * interval doubles, so that memory stays bounded. A request is counted as sent in the interval in which it was sent, and as ended
 * in the interval in which it ended. Its durations belong to the interval in which it was due, because its user began to wait then.
 */
import { z } from 'zod';
import {
  createHistogram,
  decodeHistogram,
  encodeHistogram,
  type Histogram,
  histogramSchema,
  record,
} from './histogram.ts';

const count = z.int().min(0);
const histogram = histogramSchema.nullable().meta({ description: 'Null if no request was due.' });

export const timelineSchema = z.strictObject({
  intervalSeconds: z.number().positive(),
  points: z
    .array(
      z.strictObject({
        sent: count,
        answered: count,
        errors: count,
        dropped: count,
        latency: histogram,
        serviceTime: histogram,
      }),
    )
    .meta({ description: 'One per interval, from the start of the phase.' }),
});
export type TimelineReport = z.output<typeof timelineSchema>;

const MOST_INTERVALS = 240;
const INTERVAL_MS = { short: 100, usual: 1000 };
/** Phases shorter than this, in ms, would have too few points for a chart with intervals of a second. */
const SHORT_MS = 10_000;

const COUNTS = ['sent', 'answered', 'errors', 'dropped'] as const;
const DURATIONS = ['latency', 'serviceTime'] as const;

type Interval = Record<(typeof COUNTS)[number], number> &
  Record<(typeof DURATIONS)[number], Histogram | undefined>;

export class Timeline {
  #intervals: Interval[] = [];
  #intervalMs: number;
  #latest: Interval = emptyInterval();
  #latestFromMs = Number.POSITIVE_INFINITY;
  readonly #startMs: number;

  /** @param plannedMs the planned duration of the phase; undefined if it ends by count */
  constructor(startMs: number, plannedMs: number | undefined) {
    this.#startMs = startMs;
    this.#intervalMs = (plannedMs ?? 0) < SHORT_MS ? INTERVAL_MS.short : INTERVAL_MS.usual;
  }

  /** @param serviceTimeMs NaN for a request without a response */
  took(dueMs: number, latencyMs: number, serviceTimeMs: number): void {
    const interval = this.at(dueMs);
    interval.latency ??= createHistogram(2);
    record(interval.latency, latencyMs);
    if (Number.isNaN(serviceTimeMs)) return;
    interval.serviceTime ??= createHistogram(2);
    record(interval.serviceTime, serviceTimeMs);
  }

  toReport(): TimelineReport {
    return toReport(this.#intervals, this.#intervalMs / 1000);
  }

  /** The counts of the interval that contains a time. */
  at(atMs: number): Interval {
    // Requests arrive ordered by time, so most belong to the same interval as the previous one.
    if (atMs >= this.#latestFromMs && atMs < this.#latestFromMs + this.#intervalMs) return this.#latest;
    let index = this.#indexOf(atMs);
    while (index >= MOST_INTERVALS) {
      this.#intervals = joinPairs(this.#intervals);
      this.#intervalMs *= 2;
      index = this.#indexOf(atMs);
    }
    while (this.#intervals.length <= index) this.#intervals.push(emptyInterval());
    this.#latest = this.#intervals[index] as Interval;
    this.#latestFromMs = this.#startMs + index * this.#intervalMs;
    return this.#latest;
  }

  #indexOf(atMs: number): number {
    return Math.max(0, Math.floor((atMs - this.#startMs) / this.#intervalMs));
  }
}

/** Adds up several parts that started together. Their intervals differ by powers of two. */
export function sumTimelines(timelines: readonly TimelineReport[]): TimelineReport {
  const intervalSeconds = Math.max(...timelines.map((timeline) => timeline.intervalSeconds));
  const aligned = timelines.map((timeline) => {
    let intervals = timeline.points.map(fromPoint);
    for (let seconds = timeline.intervalSeconds; seconds < intervalSeconds; seconds *= 2)
      intervals = joinPairs(intervals);
    return intervals;
  });
  const length = Math.max(...aligned.map((intervals) => intervals.length));
  const sums = Array.from({ length }, (_, n) => aligned.flatMap((all) => all[n] ?? []).reduce(join));
  return toReport(sums, intervalSeconds);
}

function fromPoint(point: TimelineReport['points'][number]): Interval {
  const decode = (text: string | null) => (text === null ? undefined : decodeHistogram(text));
  return { ...point, latency: decode(point.latency), serviceTime: decode(point.serviceTime) };
}

function toReport(intervals: readonly Interval[], intervalSeconds: number): TimelineReport {
  const encode = (one: Histogram | undefined) => (one === undefined ? null : encodeHistogram(one));
  const points = intervals.map((interval) => ({
    ...interval,
    latency: encode(interval.latency),
    serviceTime: encode(interval.serviceTime),
  }));
  return { intervalSeconds, points };
}

function emptyInterval(): Interval {
  return { sent: 0, answered: 0, errors: 0, dropped: 0, latency: undefined, serviceTime: undefined };
}

function joinPairs(intervals: readonly Interval[]): Interval[] {
  return intervals.flatMap((interval, n) => {
    const next = intervals[n + 1];
    if (n % 2 === 1) return [];
    return [next === undefined ? interval : join(interval, next)];
  });
}

/** Merges `b` into `a`. */
function join(a: Interval, b: Interval): Interval {
  for (const name of COUNTS) a[name] += b[name];
  for (const name of DURATIONS) {
    const histogram = b[name];
    if (histogram === undefined) continue;
    if (a[name] === undefined) a[name] = histogram;
    else a[name].add(histogram);
  }
  return a;
}
