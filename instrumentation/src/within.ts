/** Waits for a limited time. */

/**
 * @param isHolding whether the process does not end before the limit
 * @returns the result of `work`, or of `late` if it takes longer than `ms` milliseconds
 */
export async function within<T>(ms: number, work: Promise<T>, late: () => T, isHolding = true): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
    if (!isHolding) timer.unref();
  });
  try {
    return await Promise.race([work, limit.then(late)]);
  } finally {
    clearTimeout(timer);
  }
}
