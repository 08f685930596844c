/**
 * Sends a schedule through a client, in one of three ways:
 * - open: each request is sent at its time, whether or not earlier ones have completed. Without a free connection it is dropped.
 * - queueing: the same times, but a request without a free connection is sent late instead. For exact counts.
 * - closed: the next request is sent when an earlier one has completed, as fast as the connections allow.
 * If every request must be sent, a connection whose request failed pauses before the next one.
 */

import type { Recorder } from '../common/result.ts';
import { after } from '../common/wait.ts';
import type { Pacer } from './pacer.ts';
import type { Targeter } from './targeter.ts';

export type Schedule =
  | { readonly kind: 'open' | 'queueing'; readonly pacer: Pacer }
  | { readonly kind: 'closed'; readonly count: number; readonly durationMs: number };

/** The part of a client that the attacker uses. */
export interface Starter {
  start(target: number, intendedMs: number): boolean;
  readonly inFlight: number;
  onFree: (answered: boolean) => void;
}

/** Injected, so that tests control time. */
export interface Clock {
  now(): number;
  /** @returns a function that cancels the call */
  after(delayMs: number, act: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  // Timers have a resolution of one millisecond. Spinning for that millisecond was more precise on an idle core and less on a busy
  // one, where the scheduler preempts spinning threads first.
  after,
};

export interface Attack {
  readonly schedule: Schedule;
  readonly targeter: Targeter;
  readonly connections: number;
  readonly client: Starter;
  readonly recorder: Pick<Recorder, 'recordDrop'>;
  readonly clock: Clock;
  /** The start of the schedule, on the clock. */
  readonly startMs: number;
  /** Stops sending; requests in flight are still awaited. Checked before each request, so it must not be a combined signal. */
  readonly signal: AbortSignal;
}

/** Without a pause, all remaining requests to a dead target would fail within moments. */
const REST_AFTER_FAILURE_MS = 100;

/** Resolves when all requests have ended; the client's timeout limits the wait. */
export function attack(options: Attack): Promise<void> {
  return options.schedule.kind === 'closed'
    ? attackClosed(options, options.schedule)
    : attackOnTime(options, options.schedule.pacer, options.schedule.kind === 'queueing');
}

function attackOnTime(
  { targeter, client, recorder, clock, startMs, signal, connections }: Attack,
  pacer: Pacer,
  queueing: boolean,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let next = 0;
    let cancelTimer = () => {};
    const resting = createRests(clock);

    const sendDue = () => {
      cancelTimer();
      const dueMs = clock.now() - startMs;
      while (next < pacer.count && !signal.aborted) {
        const offsetMs = pacer.offsetMs(next);
        if (offsetMs > dueMs) {
          cancelTimer = clock.after(offsetMs - dueMs, guarded);
          return;
        }
        if (!hasTaken(offsetMs)) return;
      }
      settle();
    };
    /** Sends or drops the next request; in a queueing schedule it waits for a connection instead. */
    const hasTaken = (offsetMs: number) => {
      if (queueing && client.inFlight + resting.count >= connections) return false;
      const target = targeter(next);
      const isSent = client.start(target, startMs + offsetMs);
      if (queueing && !isSent) return false;
      if (!isSent) recorder.recordDrop(target, startMs + offsetMs);
      next++;
      return true;
    };
    const settle = () => {
      if (client.inFlight > 0) return;
      cancelTimer();
      resting.cancel();
      signal.removeEventListener('abort', guarded);
      resolve();
    };
    const guarded = () => {
      try {
        sendDue();
      } catch (error) {
        reject(error);
      }
    };
    client.onFree = (answered) => {
      if (next >= pacer.count || signal.aborted) settle();
      else if (queueing && answered) guarded();
      else if (queueing) resting.begin(guarded);
    };
    signal.addEventListener('abort', guarded);
    guarded();
  });
}

function attackClosed(
  { targeter, client, clock, startMs, signal, connections }: Attack,
  { count, durationMs }: { count: number; durationMs: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const endMs = startMs + durationMs;
    const resting = createRests(clock);
    let next = 0;

    const mayStart = (nowMs = clock.now()) => next < count && !signal.aborted && nowMs < endMs;
    const step = () => {
      try {
        const nowMs = clock.now();
        if (mayStart(nowMs) && client.start(targeter(next), nowMs)) next++;
        else settle();
      } catch (error) {
        reject(error);
      }
    };
    const settle = () => {
      if (mayStart() || client.inFlight > 0) return;
      resting.cancel();
      signal.removeEventListener('abort', settle);
      resolve();
    };
    client.onFree = (answered) => {
      if (answered || !mayStart()) step();
      else resting.begin(step);
    };
    signal.addEventListener('abort', settle);
    for (let lane = 0; lane < connections && mayStart(); lane++) step();
    settle();
  });
}

/** The paused connections, each with the timer that calls `wake`. */
function createRests(clock: Clock) {
  const resting = new Set<() => void>();
  return {
    get count() {
      return resting.size;
    },
    begin(wake: () => void) {
      const cancel = clock.after(REST_AFTER_FAILURE_MS, () => {
        resting.delete(cancel);
        wake();
      });
      resting.add(cancel);
    },
    cancel() {
      for (const cancel of resting) cancel();
    },
  };
}
