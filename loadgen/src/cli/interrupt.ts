/** What a signal to end means: the first stops the sending, and what is in flight is waited for; one after it ends at once. */
import { InterruptedError } from '../common/errors.ts';

/**
 * `docker compose run` may hand on a Ctrl-C that reaches its process group twice (seen: 11 ms apart). A user's second one
 * comes later.
 */
const SAME_SIGNAL_MS = 500;

export interface Interrupt {
  /** Aborts with the first signal. */
  readonly signal: AbortSignal;
  onSignal(): void;
}

/**
 * @param endAtOnce what the second signal does
 * @param nowMs a monotonic clock
 */
export function createInterrupt(endAtOnce: () => void, nowMs = () => performance.now()): Interrupt {
  const controller = new AbortController();
  let firstMs: number | undefined;
  return {
    signal: controller.signal,
    onSignal() {
      if (firstMs === undefined) {
        firstMs = nowMs();
        controller.abort(new InterruptedError('interrupted'));
      } else if (nowMs() - firstMs > SAME_SIGNAL_MS) {
        endAtOnce();
      }
    },
  };
}
