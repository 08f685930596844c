/**
 * The course of a phase: counts and distributions by interval. When a run grows longer than the intervals reach, neighbours
 * are joined and the interval doubles, so that memory stays what it was. A request counts as sent when it was sent, as
 * ended when it ended; its durations count for the moment at which it was due: that is when its user began to wait.
 */
import { z } from 'zod';
import {
  createHistogram,
  encodeHistogram,
  type Histogram,
  histogramSchema,
  record,
  sumHistograms,
} from './histogram.ts';

const count = z.int().min(0);
const histogram = histogramSchema.nullable().meta({ description: 'Null where nothing was due.' });

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
    .meta({ description: 'One an interval, from the start of the phase on.' }),
});
export type TimelineReport = z.output<typeof timelineSchema>;

const MOST_INTERVALS = 240;
const INTERVAL_MS = { short: 100, usual: 1000 };
/** Below that, seconds would be too few points for a picture. */
const SHORT_MS = 10_000;

interface Interval {
  sent: number;
  answered: number;
  errors: number;
  dropped: number;
  latency: Histogram | undefined;
  serviceTime: Histogram | undefined;
}

export class Timeline {
  #intervals: Interval[] = [];
  #intervalMs: number;
  #latest: Interval = emptyInterval();
  #latestFromMs = Number.POSITIVE_INFINITY;
  readonly #startMs: number;

  /** @param plannedMs how long the phase is meant to take; undefined where it ends by count */
  constructor(startMs: number, plannedMs: number | undefined) {
    this.#startMs = startMs;
    this.#intervalMs = (plannedMs ?? 0) < SHORT_MS ? INTERVAL_MS.short : INTERVAL_MS.usual;
  }

  sent(atMs: number): void {
    this.#at(atMs).sent++;
  }

  dropped(atMs: number): void {
    this.#at(atMs).dropped++;
  }

  ended(atMs: number, isAnswer: boolean, isError: boolean): void {
    const interval = this.#at(atMs);
    if (isAnswer) interval.answered++;
    if (isError) interval.errors++;
  }

  /** @param serviceTimeMs NaN for a request that got no answer */
  took(dueMs: number, latencyMs: number, serviceTimeMs: number): void {
    const interval = this.#at(dueMs);
    interval.latency ??= createHistogram(2);
    record(interval.latency, latencyMs);
    if (Number.isNaN(serviceTimeMs)) return;
    interval.serviceTime ??= createHistogram(2);
    record(interval.serviceTime, serviceTimeMs);
  }

  toReport(): TimelineReport {
    const encode = (one: Histogram | undefined) => (one === undefined ? null : encodeHistogram(one));
    const points = this.#intervals.map((interval) => ({
      ...interval,
      latency: encode(interval.latency),
      serviceTime: encode(interval.serviceTime),
    }));
    return { intervalSeconds: this.#intervalMs / 1000, points };
  }

  #at(atMs: number): Interval {
    // Requests come in the order of time, so most are of the interval of the one before.
    if (atMs >= this.#latestFromMs && atMs < this.#latestFromMs + this.#intervalMs) return this.#latest;
    let index = this.#indexOf(atMs);
    while (index >= MOST_INTERVALS) {
      this.#intervals = pairs(this.#intervals).map(([a, b]) => (b === undefined ? a : join(a, b)));
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

/** The course of several parts that began together. Their intervals are powers of two of each other. */
export function sumTimelines(timelines: readonly TimelineReport[]): TimelineReport {
  const intervalSeconds = Math.max(...timelines.map((timeline) => timeline.intervalSeconds));
  const aligned = timelines.map((timeline) => coarsen(timeline, intervalSeconds).points);
  const length = Math.max(...aligned.map((points) => points.length));
  const points = Array.from({ length }, (_, n) => sumPoints(aligned.flatMap((all) => all[n] ?? [])));
  return { intervalSeconds, points };
}

type Point = TimelineReport['points'][number];

function coarsen(timeline: TimelineReport, intervalSeconds: number): TimelineReport {
  if (timeline.intervalSeconds >= intervalSeconds) return timeline;
  const points = pairs(timeline.points).map(([a, b]) => (b === undefined ? a : sumPoints([a, b])));
  return coarsen({ intervalSeconds: 2 * timeline.intervalSeconds, points }, intervalSeconds);
}

function sumPoints(points: readonly Point[]): Point {
  const sum = (of: (point: Point) => number) => points.reduce((total, point) => total + of(point), 0);
  const add = (of: (point: Point) => string | null) => {
    const texts = points.map(of).filter((text) => text !== null);
    return texts.length === 0 ? null : encodeHistogram(sumHistograms(texts, 2));
  };
  return {
    sent: sum(({ sent }) => sent),
    answered: sum(({ answered }) => answered),
    errors: sum(({ errors }) => errors),
    dropped: sum(({ dropped }) => dropped),
    latency: add(({ latency }) => latency),
    serviceTime: add(({ serviceTime }) => serviceTime),
  };
}

function pairs<T>(items: readonly T[]): [T, T | undefined][] {
  return items.flatMap((item, n): [T, T | undefined][] => (n % 2 === 0 ? [[item, items[n + 1]]] : []));
}

function emptyInterval(): Interval {
  return { sent: 0, answered: 0, errors: 0, dropped: 0, latency: undefined, serviceTime: undefined };
}

function join(a: Interval, b: Interval): Interval {
  return {
    sent: a.sent + b.sent,
    answered: a.answered + b.answered,
    errors: a.errors + b.errors,
    dropped: a.dropped + b.dropped,
    latency: joinHistograms(a.latency, b.latency),
    serviceTime: joinHistograms(a.serviceTime, b.serviceTime),
  };
}

function joinHistograms(a: Histogram | undefined, b: Histogram | undefined): Histogram | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  a.add(b);
  return a;
}
