/** Waiting in tests: for a condition, to a deadline, and never for a fixed time. */
import { setTimeout as delay } from 'node:timers/promises';

export const DEADLINE_MS = 30_000;

/** Polls `condition` until it holds. @throws after half a minute, naming `what` was waited for */
export async function until(
  what: string | (() => string),
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (performance.now() > deadline)
      throw new Error(`waited in vain for ${typeof what === 'string' ? what : what()}`);
    await delay(1);
  }
}
