/** The worker's side: the counts of an instrumented application since the previous report. */
import { registryLabels } from '../library.ts';
import { type Cell, type Row, rowsOf, snapshotOf } from '../recording/counts.ts';
import { type Snapshot, slotsOf, takeSnapshot } from '../recording/snapshot.ts';
import type { SourceDefinition, SourceReport } from './messages.ts';
import type { Source } from './source.ts';

interface KnownCell {
  readonly index: number;
  /** The reported numbers; the same object as the current numbers if nothing has been added since. */
  last: Snapshot;
}

const NOTHING = takeSnapshot({ buckets: [], native: undefined, sumSeconds: 0, exemplars: undefined });

/** @returns a function that takes the differences at one moment and remembers them as reported */
export function createRequestDifferences(source: Source, index: number): () => SourceReport {
  const { counts } = source;
  const knownRows = new Map<Row, number>();
  const knownCells = new Map<Cell, KnownCell>();

  return () => {
    const definition = knownRows.size === 0 ? definitionOf(source) : undefined;
    const rows: SourceReport['rows'][number][] = [];
    const cells: SourceReport['cells'][number][] = [];
    const numbers: number[] = [];
    const exemplars: Exemplars = [];
    for (const row of rowsOf(counts)) {
      const rowIndex = knownRows.get(row) ?? knownRows.size;
      if (rowIndex === knownRows.size) {
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
        pushDifference(numbers, known, now);
        pushExemplars(exemplars, known, now);
        known.last = now;
      }
    }
    return { index, definition, rows, cells, numbers, exemplars, inProgress: counts.inProgress };
  };
}

function definitionOf({ counts, registry, prefix }: Source): SourceDefinition {
  const { bounds, hasNative, maxRows } = counts;
  return { prefix, labels: registryLabels(registry), bounds, hasNative, maxRows };
}

type Exemplars = SourceReport['exemplars'][number][];

function pushExemplars(exemplars: Exemplars, { index, last }: KnownCell, now: Snapshot): void {
  now.exemplars?.forEach((exemplar, place) => {
    if (exemplar && exemplar !== last.exemplars?.[place]) exemplars.push([index, exemplar]);
  });
}

function pushDifference(numbers: number[], { index, last }: KnownCell, now: Snapshot): void {
  if (last.count === now.count) return;
  numbers.push(index, now.sumSeconds - last.sumSeconds);
  const changesAt = numbers.push(0) - 1;
  const push = (place: number, added: number) => {
    if (added === 0) return;
    numbers.push(place, added);
    (numbers[changesAt] as number)++;
  };
  now.buckets.forEach((count, i) => {
    push(i, count - (last.buckets[i] ?? 0));
  });
  const before = slotsOf(last);
  const { slots, counts } = slotsOf(now);
  let known = 0;
  slots.forEach((slot, i) => {
    // Slots are ascending and never disappear: the previous slots are a subset of the current ones.
    const counted = before.slots[known] === slot ? (before.counts[known++] as number) : 0;
    push(now.buckets.length + slot, (counts[i] as number) - counted);
  });
}
