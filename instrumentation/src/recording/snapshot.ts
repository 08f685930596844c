/**
 * The numbers of a cell at one moment. A scrape takes the snapshots of all cells at once and writes them over several turns
 * of the event loop; copying thousands of cells first would block the loop. A snapshot therefore shares the numbers of its
 * cell, which are copied only when they are about to change.
 */

/** The same shape as in the client library. */
export interface Exemplar {
  readonly labelSet: ExemplarLabels;
  /** The duration in seconds, or the increment of a counter. */
  readonly value: number;
  /** Seconds since 1970. */
  readonly timestamp: number;
}

export type ExemplarLabels = Readonly<Record<string, string | number>>;

/** The numbers that change with every request. */
export interface Numbers {
  /** Requests by bucket, not cumulative; the last is +Inf. */
  readonly buckets: readonly number[];
  /** Requests by slot of a native histogram; allocated with the first request. */
  readonly native: Float64Array | undefined;
  /** Sum of the durations, in seconds. */
  readonly sumSeconds: number;
  /** By bucket, or by power of two without classic buckets; undefined before the first exemplar. */
  readonly exemplars: readonly (Exemplar | undefined)[] | undefined;
}

export interface Snapshot {
  readonly count: number;
  readonly sumSeconds: number;
  buckets: readonly number[];
  exemplars: Numbers['exemplars'];
  /** Undefined while the slots equal those of `shared`. */
  slots: SlotCounts | undefined;
  readonly shared: Numbers;
}

/** The slots of a native histogram that have a count, ascending, and their counts. */
export interface SlotCounts {
  readonly slots: readonly number[];
  readonly counts: readonly number[];
}

export function takeSnapshot(shared: Numbers): Snapshot {
  const { buckets, sumSeconds, exemplars } = shared;
  return { count: totalOf(buckets), sumSeconds, buckets, exemplars, slots: undefined, shared };
}

/** Call it before the shared numbers change: `snapshot` keeps the old ones. */
export function detach(snapshot: Snapshot): void {
  snapshot.buckets = snapshot.buckets.slice();
  snapshot.exemplars = snapshot.exemplars?.slice();
  snapshot.slots = slotsOf(snapshot);
}

export function slotsOf({ slots, shared }: Snapshot): SlotCounts {
  return slots ?? copySlots(shared.native);
}

/** Copies only the used slots, far fewer than the array has. */
export function copySlots(counted: Float64Array | undefined): SlotCounts {
  const slots: number[] = [];
  const counts: number[] = [];
  if (!counted) return { slots, counts };
  for (let slot = 0; slot < counted.length; slot++) {
    const count = counted[slot] as number;
    if (count === 0) continue;
    slots.push(slot);
    counts.push(count);
  }
  return { slots, counts };
}

function totalOf(buckets: readonly number[]): number {
  let sum = 0;
  for (const count of buckets) sum += count;
  return sum;
}
