/**
 * How late and how busy the event loop is, as counters of seconds. Their rate is a share of time over any window, and the
 * same for every reader. A percentile over samples would mislead: a loop that is blocked for 3 s in every 8 s takes few
 * samples, almost all of them good. So would a maximum since the last scrape, because each reader resets it for the others.
 */
import { performance } from 'node:perf_hooks';
import { type MetricRegistry, registerMetric } from '../library.ts';

/** The period of the timer, in milliseconds. 20 ms would cost an idle process 0.7 % of a core, 50 ms 0.25 %. */
const PERIOD_MS = 50;

/** Delays below this, in milliseconds, are ignored: Node rounds to 1 ms, and a busy machine wakes a process late. */
const TOLERANCE_MS = 5;

/**
 * Creates a function that is called at each tick of a timer with a period of `periodMs` and returns how late the loop was,
 * in milliseconds. Pure.
 */
export function createLateness(startMs: number, periodMs = PERIOD_MS, toleranceMs = TOLERANCE_MS) {
  let lastMs = startMs;
  return (nowMs: number): number => {
    const lateMs = nowMs - lastMs - periodMs;
    lastMs = nowMs;
    return lateMs > toleranceMs ? lateMs : 0;
  };
}

/** @returns a function that starts watching the loop and returns a function that stops; the timer keeps no process alive */
export function createEventLoopMetrics(registry: MetricRegistry): () => () => void {
  let lateSeconds = 0;
  const counter = (name: string, help: string, read: () => number) =>
    registerMetric(registry, { name, help, type: 'counter' }, read);
  counter(
    'nodejs_eventloop_late_seconds_total',
    `Total lag of the event loop, in seconds, measured by a timer every ${PERIOD_MS} ms; lag up to ${TOLERANCE_MS} ms is not counted`,
    () => lateSeconds,
  );
  counter(
    'nodejs_eventloop_active_seconds_total',
    'Total time that the event loop did not wait for events, in seconds',
    () => performance.eventLoopUtilization().active / 1000,
  );
  return () => {
    const lateness = createLateness(performance.now());
    const timer = setInterval(() => {
      lateSeconds += lateness(performance.now()) / 1000;
    }, PERIOD_MS).unref();
    return () => clearInterval(timer);
  };
}
