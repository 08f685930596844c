/** The moment at which a run starts, on the clock of the day: shards on several machines have no other clock in common. */
import { NotSentError } from '../common/errors.ts';
import { sleep } from '../common/wait.ts';

/** The clock is read again this often: it may be set during a long wait, and a machine may be suspended. */
const LOOK_EVERY_MS = 60_000;

/** Not being ready by so little shows as lateness, and is no reason not to send. */
const LATE_MS = 100;
/** A busy machine wakes a process late by less than this, a suspended one by more. */
const WOKEN_LATE_MS = 1_000;

/** Returns at that moment, or as soon as the signal aborts. */
export async function waitUntil(atMs: number, signal: AbortSignal): Promise<void> {
  for (let leftMs = atMs - Date.now(); leftMs > 0 && !signal.aborted; leftMs = atMs - Date.now())
    await sleep(Math.min(leftMs, LOOK_EVERY_MS), signal).catch(() => {});
}

/** @throws NotSentError when the moment is over: the schedule would start with a backlog */
export function refuseMissed(atMs: number, allowedMs = LATE_MS): void {
  const lateMs = Date.now() - atMs;
  if (lateMs > allowedMs)
    throw new NotSentError(`the start was missed by ${lateMs} ms: not everything was ready to send in time`);
}

/**
 * Waits for the start, unless it is at once (undefined). @returns it on the monotonic clock, from which the schedule counts
 * @throws NotSentError when it was missed
 */
export async function waitForStart(atMs: number | undefined, signal: AbortSignal): Promise<number> {
  if (atMs === undefined) return performance.now();
  refuseMissed(atMs);
  await waitUntil(atMs, signal);
  if (!signal.aborted) refuseMissed(atMs, WOKEN_LATE_MS);
  return performance.now() + atMs - Date.now();
}
