/**
 * The primary's totals of the requests of all workers, past and present. Reports are added to rows and cells like those of a
 * single process, so the same code exposes both.
 */
import type { Family } from '../exposition/family.ts';
import { createRequestFamilies } from '../exposition/request-families.ts';
import { addLabels } from '../library.ts';
import {
  addUnmatched,
  bucketOf,
  type Cell,
  cellOf,
  createRequestCounts,
  createRow,
  expose,
  type RequestCounts,
  type Row,
  snapshotOf,
  touch,
  UNMATCHED,
  unmatchedRow,
} from '../recording/counts.ts';
import { putExemplar } from '../recording/exemplars.ts';
import { SLOTS } from '../recording/native-buckets.ts';
import type { SourceDefinition, SourceReport, Totals } from './messages.ts';
import { oncePerMessage } from './once-per-message.ts';

/** The applications with the same prefix and labels, usually one per worker. */
interface Group {
  readonly counts: { -readonly [K in keyof RequestCounts]: RequestCounts[K] };
  readonly read: () => readonly Family[];
}

export class RequestTotals {
  readonly #groups = new Map<string, Group>();
  readonly #warn: (message: string) => void;

  /** @param warn is called once for each way in which workers differ */
  constructor(warn: (message: string) => void) {
    this.#warn = oncePerMessage(warn);
  }

  open(definition: SourceDefinition): Totals<SourceReport> {
    const { prefix, labels, bounds, hasNative } = definition;
    const key = JSON.stringify([prefix, labels]);
    const group = this.#groups.get(key) ?? createGroup(definition, this.#warn);
    this.#groups.set(key, group);
    const { counts } = group;
    const name = `${prefix}http_request_duration_seconds`;
    if (bounds.join() !== counts.bounds.join())
      this.#warn(
        `${name}: workers differ in bucketsSeconds: using those of the first worker, ${counts.bounds.join(', ') || 'none'}; ` +
          'each bucket of the others counts in the smallest of these that contains it',
      );
    if (hasNative !== counts.hasNative) {
      counts.hasNative = false;
      this.#warn(
        `${name}: workers differ in nativeHistograms: native histograms are left out until the primary restarts`,
      );
    }
    return openSource(counts, bounds);
  }

  /** The current families of each group. */
  read(): readonly Family[] {
    return [...this.#groups.values()].flatMap(({ read }) => read());
  }
}

function createGroup(
  { prefix, labels, bounds, hasNative, maxRows }: SourceDefinition,
  warn: (message: string) => void,
): Group {
  const onFull = () =>
    warn(
      `${prefix}http_requests_total: the workers together have more than ${maxRows} pairs of path and method (maxRoutes): ` +
        'requests to further routes are counted as unmatched',
    );
  const counts = createRequestCounts({ bounds, hasNative, maxRows, onFull });
  const families = createRequestFamilies(counts, prefix);
  return { counts, read: () => families.map((read) => addLabels(read(), labels)) };
}

/** @param bounds the bucket bounds of the source */
function openSource(counts: RequestCounts, bounds: readonly number[]): Totals<SourceReport> {
  const rows: Row[] = [];
  const cells: Cell[] = [];
  /** For each bucket of the source, the bucket of `counts` that contains it. */
  const buckets = [...bounds, Number.POSITIVE_INFINITY].map((bound) => bucketOf(counts.bounds, bound));
  let inProgress = 0;
  const setInProgress = (now: number) => {
    counts.inProgress += now - inProgress;
    inProgress = now;
  };
  return {
    add(report) {
      for (const [path, method, declared] of report.rows) rows.push(rowOf(counts, path, method, declared));
      for (const [row, code, createdMs] of report.cells) {
        const cell = cellOf(rows[row] as Row, code, counts.bounds);
        if (snapshotOf(cell).count === 0) cell.createdMs = Math.min(cell.createdMs, createdMs);
        cells.push(cell);
      }
      addNumbers(cells, buckets, report.numbers);
      for (const [cell, exemplar] of report.exemplars)
        putExemplar(cells[cell] as Cell, counts.bounds, exemplar);
      setInProgress(report.inProgress);
    },
    end: () => setInProgress(0),
  };
}

function rowOf(counts: RequestCounts, path: string, method: string, declared: readonly number[] | null): Row {
  if (path === UNMATCHED) addUnmatched(counts, method);
  const row = path === UNMATCHED ? undefined : expose(counts, createRow(path, method, declared ?? undefined));
  return row ?? unmatchedRow(counts, method);
}

function addNumbers(cells: readonly Cell[], buckets: readonly number[], numbers: readonly number[]): void {
  let at = 0;
  const next = () => numbers[at++] as number;
  while (at < numbers.length) {
    const cell = cells[next()] as Cell;
    touch(cell);
    cell.sumSeconds += next();
    for (let left = next(); left > 0; left--) {
      const place = next();
      const bucket = buckets[place];
      if (bucket !== undefined) cell.buckets[bucket] = (cell.buckets[bucket] as number) + next();
      else {
        cell.native ??= new Float64Array(SLOTS);
        const slot = place - buckets.length;
        cell.native[slot] = (cell.native[slot] as number) + next();
      }
    }
  }
}
