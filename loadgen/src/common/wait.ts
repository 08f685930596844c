/** Waits of any length. A timer takes at most 2^31 - 1 ms (24.8 days) and fires immediately for more, so longer waits use several. */

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Calls `act` once, after the delay. @returns a function that cancels the call */
export function after(delayMs: number, act: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (leftMs: number) => {
    timer =
      leftMs > LONGEST_TIMER_MS
        ? setTimeout(() => arm(leftMs - LONGEST_TIMER_MS), LONGEST_TIMER_MS)
        : setTimeout(act, leftMs);
  };
  arm(delayMs);
  return () => clearTimeout(timer);
}

/** @throws the signal's reason as soon as it aborts */
export function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
