/** Handles signals: the first stops sending and waits for requests in flight; a later one exits immediately. */
import { InterruptedError } from '../common/errors.ts';

/**
 * `docker compose run` may forward a Ctrl-C that its process group also receives, 11 ms apart in one case. A user's second Ctrl-C
 * comes later.
 */
const SAME_SIGNAL_MS = 500;

export interface Interrupt {
  readonly signal: AbortSignal;
  onSignal(): void;
}

/**
 * @param endAtOnce called at the second signal
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
