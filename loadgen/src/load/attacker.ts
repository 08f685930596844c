/**
 * Sends a schedule through a client. Three ways:
 *  - open: each request leaves at its time whether or not earlier ones were answered; without a free connection it is dropped.
 *  - queueing: the same times, but a request without a free connection leaves late instead. For exact counts.
 *  - closed: the next leaves when one was answered. As fast as the connections allow.
 * Where every request is to be sent, a connection whose request failed rests before the next.
 */

import type { Recorder } from '../common/result.ts';
import { after } from '../common/wait.ts';
import type { Pacer } from './pacer.ts';
import type { Targeter } from './targeter.ts';

export type Schedule =
  | { readonly kind: 'open' | 'queueing'; readonly pacer: Pacer }
  | { readonly kind: 'closed'; readonly count: number; readonly durationMs: number };

/** What the attacker needs of a client. */
export interface Starter {
  start(target: number, intendedMs: number): boolean;
  readonly inFlight: number;
  onFree: (answered: boolean) => void;
}

/** Time, so that a test can hold it. */
export interface Clock {
  now(): number;
  /** @returns what cancels it */
  after(delayMs: number, act: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  // Timers are a millisecond coarse. Spinning for that millisecond was closer on an idle core and worse on a busy one,
  // where the scheduler preempts spinning threads first.
  after,
};

export interface Attack {
  readonly schedule: Schedule;
  readonly targeter: Targeter;
  readonly connections: number;
  readonly client: Starter;
  readonly recorder: Pick<Recorder, 'recordDrop'>;
  readonly clock: Clock;
  /** The moment, on the clock, from which the schedule counts. */
  readonly startMs: number;
  /** Stops the sending; what is in flight is still waited for. Asked for each request, so not one that combines others. */
  readonly signal: AbortSignal;
}

/** A dead target would otherwise be tried as fast as the loop can spin, and what is left to send be gone in a moment. */
const REST_AFTER_FAILURE_MS = 100;

/** @returns when everything that was sent has ended. It is bounded by the client's timeout. */
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
        if (queueing && client.inFlight + resting.count >= connections) return;
        const target = targeter(next);
        if (!client.start(target, startMs + offsetMs)) {
          if (queueing) return;
          recorder.recordDrop(target, startMs + offsetMs);
        }
        next++;
      }
      settle();
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

/** The connections that rest, each until its `wake`. */
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
