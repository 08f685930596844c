/**
 * When each request should leave. A pacer is pure: it maps a request's number (from 0) to its intended offset from the
 * start in milliseconds, and knows how many there are. Latency is counted from that moment, so that a server which stalls
 * cannot hide it by making the generator wait (coordinated omission, as wrk2 puts it).
 */

export interface Pacer {
  /** How many requests the schedule holds. */
  readonly count: number;
  readonly durationMs: number;
  offsetMs(n: number): number;
  /** The asked rate at a moment, per second: what the live view shows next to the achieved one. */
  ratePerSecondAt(offsetMs: number): number;
}

/** A part of a schedule over which the rate goes in a straight line from one value to another. */
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
 * A row of stages. Request n leaves when the area under the rate reaches n, so the first leaves at 0 (or, from rate 0,
 * as soon as there is any) and a steady stage of `d` seconds at `r` holds exactly `d * r` requests.
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
  // The sum of stages such as 0.1 s * 30/s is not a whole number in binary; without rounding a request would be lost.
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

/** Solves `from*t + (to-from)/(2*d) * t^2 = area` for t, in the form that stays exact when `from` equals `to`. */
function secondsUntil({ durationMs, fromPerSecond, toPerSecond }: Stage, area: number): number {
  const slope = (toPerSecond - fromPerSecond) / (durationMs / 1000);
  const root = Math.sqrt(Math.max(0, fromPerSecond ** 2 + 2 * slope * area));
  return area === 0 ? 0 : (2 * area) / (fromPerSecond + root);
}
