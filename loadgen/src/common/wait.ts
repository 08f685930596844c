/** Timers that can be cancelled. */
import { setTimeout as wait } from 'node:timers/promises';

/** The maximum delay of a timer in ms (24.8 days). With a longer delay, a timer fires immediately. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Calls `act` once, after the delay, or after 24.8 days if that is shorter. @returns a function that cancels the call */
export function after(delayMs: number, act: () => void): () => void {
  const timer = setTimeout(act, Math.min(delayMs, LONGEST_TIMER_MS));
  return () => clearTimeout(timer);
}

/** @throws the signal's reason as soon as it aborts */
export async function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  await wait(delayMs, undefined, { signal }).catch(() => signal?.throwIfAborted());
}
