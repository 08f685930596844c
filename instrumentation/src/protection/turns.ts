/** Gives requests that wait in the connections of clients which do not wait for answers their turn, fairly and in small numbers. */

/**
 * How many are let through between two looks at all other connections: less than a millisecond of work for a small API, and a
 * single client that pipelines for good reasons is hardly slower than without.
 */
const PER_TURN = 8;

/** Something that waits for its turn. */
export interface Waiting {
  /** Lets `count` more through. */
  go(count: number): void;
}

export interface Turns {
  /** Asks for a turn; to be called once for each. */
  ask(waiting: Waiting): void;
}

export function createTurns(): Turns {
  const queue = new Set<Waiting>();

  function next(): void {
    const share = Math.max(1, Math.floor(PER_TURN / queue.size));
    let left = PER_TURN;
    for (const waiting of queue) {
      if (left <= 0) break;
      left -= share;
      queue.delete(waiting);
      waiting.go(share);
    }
    if (queue.size > 0) setImmediate(next);
  }

  return {
    ask(waiting) {
      // Immediates run after the event loop has looked at all connections.
      if (queue.size === 0) setImmediate(next);
      queue.add(waiting);
    },
  };
}
