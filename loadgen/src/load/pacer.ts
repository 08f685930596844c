/**
 * Determines when each request should be sent. A pacer is pure: it maps a request's number (from 0) to its intended offset from the
 * start in milliseconds, and knows the number of requests. Latency is measured from that time, so that a stalling server cannot hide
 * its latency by making the generator wait (wrk2 calls this coordinated omission).
 */

export interface Pacer {
  readonly count: number;
  readonly durationMs: number;
  offsetMs(n: number): number;
  /** The planned rate at an offset, per second. The live view shows it next to the achieved rate. */
  ratePerSecondAt(offsetMs: number): number;
}

/** A part of a schedule, in which the rate changes linearly from one value to another. */
export interface Stage {
  readonly durationMs: number;
  readonly fromPerSecond: number;
  readonly toPerSecond: number;
}

interface Segment extends Stage {
  readonly startMs: number;
  readonly startCount: number;
}

/** `count` requests at one rate. */
export function constantPacer(count: number, ratePerSecond: number): Pacer {
  const intervalMs = 1000 / ratePerSecond;
  return {
    count,
    durationMs: count * intervalMs,
    offsetMs: (n) => n * intervalMs,
    ratePerSecondAt: () => ratePerSecond,
  };
}

/**
 * A sequence of stages. Request n is sent when the area under the rate reaches n. The first request is therefore sent at 0 (or, if
 * the rate starts at 0, as soon as it is higher), and a steady stage of `d` seconds at rate `r` has exactly `d * r` requests.
 */
export function stagedPacer(stages: readonly Stage[]): Pacer {
  const segments: Segment[] = [];
  let startMs = 0;
  let startCount = 0;
  for (const stage of stages) {
    segments.push({ ...stage, startMs, startCount });
    startMs += stage.durationMs;
    startCount += ((stage.fromPerSecond + stage.toPerSecond) / 2) * (stage.durationMs / 1000);
  }
  // In binary, 0.1 s * 30/s is not exactly a whole number; without rounding a request would be lost.
  const count = Math.ceil(Math.round(startCount * 1e6) / 1e6);
  const last = <T>(items: readonly T[], holds: (item: T) => boolean) => items.findLast(holds) ?? items[0];
  return {
    count,
    durationMs: startMs,
    offsetMs(n) {
      const segment = last(segments, (s) => s.startCount <= n && s.fromPerSecond + s.toPerSecond > 0);
      return segment === undefined
        ? 0
        : segment.startMs + 1000 * secondsUntil(segment, n - segment.startCount);
    },
    ratePerSecondAt(offsetMs) {
      const segment = last(segments, (s) => s.startMs <= offsetMs);
      if (segment === undefined || offsetMs > startMs) return 0;
      const share = (offsetMs - segment.startMs) / segment.durationMs;
      return segment.fromPerSecond + share * (segment.toPerSecond - segment.fromPerSecond);
    },
  };
}

/** Solves `from*t + (to-from)/(2*d) * t^2 = area` for t, in a form that stays exact if `from` equals `to`. */
function secondsUntil({ durationMs, fromPerSecond, toPerSecond }: Stage, area: number): number {
  const slope = (toPerSecond - fromPerSecond) / (durationMs / 1000);
  const root = Math.sqrt(Math.max(0, fromPerSecond ** 2 + 2 * slope * area));
  return area === 0 ? 0 : (2 * area) / (fromPerSecond + root);
}
