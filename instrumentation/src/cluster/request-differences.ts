/** The worker's side: what an instrumented application has counted since the previous report. */

import { registryLabels } from '../library.ts';
import { type Cell, type Row, rowsOf, snapshotOf } from '../recording/counts.ts';
import { type Snapshot, slotsOf, takeSnapshot } from '../recording/snapshot.ts';
import type { SourceDefinition, SourceReport } from './messages.ts';
import type { Source } from './source.ts';

interface KnownCell {
  readonly index: number;
  /** What was reported; the same object as the current numbers if nothing was added since. */
  last: Snapshot;
}

const NOTHING = takeSnapshot({ buckets: [], native: undefined, sumSeconds: 0, exemplars: undefined });

/** @returns a function that takes the differences at one moment and remembers them as reported */
export function createRequestDifferences(source: Source, index: number): () => SourceReport {
  const { counts } = source;
  const knownRows = new Map<Row, number>();
  const knownCells = new Map<Cell, KnownCell>();
  let define: (() => SourceDefinition) | undefined = () => definitionOf(source);

  return () => {
    const rows: SourceReport['rows'][number][] = [];
    const cells: SourceReport['cells'][number][] = [];
    const numbers: number[] = [];
    const exemplars: Exemplars = [];
    for (const row of rowsOf(counts)) {
      let rowIndex = knownRows.get(row);
      if (rowIndex === undefined) {
        rowIndex = knownRows.size;
        knownRows.set(row, rowIndex);
        rows.push([row.path, row.method, row.declared ?? null]);
      }
      for (const cell of row.cells) {
        const now = snapshotOf(cell);
        let known = knownCells.get(cell);
        if (!known) {
          known = { index: knownCells.size, last: NOTHING };
          knownCells.set(cell, known);
          cells.push([rowIndex, cell.code, cell.createdMs]);
        }
        if (known.last.count !== now.count) pushDifference(numbers, known, now);
        pushExemplars(exemplars, known, now);
        known.last = now;
      }
    }
    const definition = define?.();
    define = undefined;
    return { index, definition, rows, cells, numbers, exemplars, inProgress: counts.inProgress };
  };
}

function definitionOf({ counts, registry, prefix }: Source): SourceDefinition {
  const { bounds, hasNative, maxRows } = counts;
  return { prefix, labels: registryLabels(registry), bounds, hasNative, maxRows };
}

type Exemplars = NonNullable<SourceReport['exemplars']>[number][];

function pushExemplars(exemplars: Exemplars, { index, last }: KnownCell, now: Snapshot): void {
  now.exemplars?.forEach((exemplar, place) => {
    if (exemplar && exemplar !== last.exemplars?.[place]) exemplars.push([index, exemplar]);
  });
}

function pushDifference(numbers: number[], { index, last }: KnownCell, now: Snapshot): void {
  numbers.push(index, now.sumSeconds - last.sumSeconds);
  const bucketsAt = numbers.push(0) - 1;
  for (let i = 0; i < now.buckets.length; i++) {
    const added = (now.buckets[i] as number) - (last.buckets[i] ?? 0);
    if (added === 0) continue;
    numbers.push(i, added);
    (numbers[bucketsAt] as number)++;
  }
  const slotsAt = numbers.push(0) - 1;
  const before = slotsOf(last);
  const { slots, counts } = slotsOf(now);
  let known = 0;
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i] as number;
    // Slots are ascending and never disappear: the previous slots are a subset of the current ones.
    const added =
      (counts[i] as number) - (before.slots[known] === slot ? (before.counts[known++] as number) : 0);
    if (added === 0) continue;
    numbers.push(slot, added);
    (numbers[slotsAt] as number)++;
  }
}
