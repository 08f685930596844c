/**
 * The numbers of a cell at one moment. A scrape takes those of all cells at once, and writes them over several turns of the
 * event loop; to copy thousands of cells first would hold it for long. So a snapshot shares the numbers of its cell, and
 * only when one is about to change are they copied.
 */
import type { Cell } from './counts.ts';

export interface Snapshot {
  readonly cell: Cell;
  readonly count: number;
  readonly sumSeconds: number;
  /** Requests by bucket, not cumulated; the last is +Inf. */
  buckets: readonly number[];
  /** Undefined while they are the cell's own. */
  slots: SlotCounts | undefined;
}

/** The slots of a native histogram that have a count, ascending, and their counts. */
export interface SlotCounts {
  readonly slots: readonly number[];
  readonly counts: readonly number[];
}

/** The numbers of `cell` now; the same object as long as they are the same. */
export function snapshotOf(cell: Cell): Snapshot {
  cell.snapshot ??= {
    cell,
    count: totalOf(cell.buckets),
    sumSeconds: cell.sumSeconds,
    buckets: cell.buckets,
    slots: undefined,
  };
  return cell.snapshot;
}

/** To be called before the cell changes: the snapshot keeps the numbers as they are. */
export function detach(snapshot: Snapshot): void {
  snapshot.buckets = snapshot.buckets.slice();
  snapshot.slots = slotsOf(snapshot);
}

export function slotsOf({ slots, cell }: Snapshot): SlotCounts {
  return slots ?? copySlots(cell.native);
}

/** What was counted: far less than the array, most of which is 0. */
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
