/** Waiting in tests: for a condition, with a deadline, and never for a fixed time. */
import { setTimeout as delay } from 'node:timers/promises';

/** Only ends hanging waits, before the limit of a test, whose error is less specific. */
export const DEADLINE_MS = 120_000;

/** Polls `condition` until it holds. @throws after `DEADLINE_MS`, naming `what` */
export async function until(
  what: string | (() => string),
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (performance.now() > deadline)
      throw new Error(`timed out waiting for ${typeof what === 'string' ? what : what()}`);
    await delay(1);
  }
}

const POLL_MS = 100;
/** Only ends hanging waits: the duration of scrapes and of an engine's work depends on the machine's other load. */
export const PATIENCE_MS = 240_000;

/**
 * Polls changes that need scrapes or an engine, until `attempt` returns something other than undefined or false.
 * @throws after four minutes, or `timeoutMs`, naming `what`, with the last error of `attempt` as the cause
 */
export async function eventually<T>(
  what: string,
  attempt: () => Promise<T | false | undefined>,
  timeoutMs = PATIENCE_MS,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  do {
    try {
      const result = await attempt();
      if (result !== undefined && result !== false) return result;
    } catch (error) {
      cause = error;
    }
    await delay(POLL_MS);
  } while (performance.now() < deadline);
  throw new Error(`expected within ${timeoutMs} ms: ${what}`, { cause });
}

/** A promise and the function that fulfils it: `Promise.withResolvers()`, which Node 20 lacks. */
export function createDeferred() {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}
