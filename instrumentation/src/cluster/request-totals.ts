/**
 * The primary's totals of the requests of all workers, past and present. Reports are added to rows and cells like those of a
 * single process, so the same code exposes both.
 */
import type { Family } from '../exposition/family.ts';
import { createRequestFamilies } from '../exposition/request-families.ts';
import { type AnyRegistry, type Client, gather, registerFamily } from '../library.ts';
import {
  addUnmatched,
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
import type { SourceDefinition, SourceReport } from './messages.ts';

/** The applications with the same prefix and labels, usually one per worker. */
interface Group {
  readonly counts: { -readonly [K in keyof RequestCounts]: RequestCounts[K] };
  readonly registry: AnyRegistry;
  readonly sources: Set<SourceTotals>;
}

/** One application of one living worker. */
export interface SourceTotals {
  readonly inProgress: number;
  /** Adds a report. */
  add(report: SourceReport): void;
  /** Keeps its counts and drops its requests in progress. */
  end(): void;
}

export class RequestTotals {
  readonly #groups = new Map<string, Group>();
  readonly #client: Client;
  readonly #warn: (message: string) => void;

  /** @param warn is called once for each way in which workers contradict each other */
  constructor(client: Client, warn: (message: string) => void) {
    this.#client = client;
    this.#warn = warn;
  }

  open(definition: SourceDefinition): SourceTotals {
    const { prefix, labels } = definition;
    const key = JSON.stringify([prefix, labels]);
    let group = this.#groups.get(key);
    if (!group) {
      group = createGroup(definition, this.#client);
      this.#groups.set(key, group);
    }
    return openSource(group, definition, this.#warn);
  }

  /** The current families, one list per group. */
  async read(): Promise<readonly Family[]> {
    const all = [...this.#groups.values()].map(({ counts, registry, sources }) => {
      counts.inProgress = 0;
      for (const { inProgress } of sources) counts.inProgress += inProgress;
      return gather(registry);
    });
    return (await Promise.all(all)).flat();
  }
}

function createGroup(
  { prefix, labels, bounds, hasNative, maxRows }: SourceDefinition,
  client: Client,
): Group {
  // The worker has already warned of it.
  const counts = createRequestCounts({ bounds, hasNative, maxRows, onFull: () => {} });
  const registry: AnyRegistry & { setDefaultLabels?: (added: object) => void } = new client.Registry();
  registry.setDefaultLabels?.(labels);
  for (const read of createRequestFamilies(counts, prefix)) registerFamily(registry, read);
  return { counts, registry, sources: new Set() };
}

function openSource(
  { counts, sources }: Group,
  { prefix, bounds, hasNative }: SourceDefinition,
  warn: (message: string) => void,
): SourceTotals {
  const rows: Row[] = [];
  const cells: Cell[] = [];
  const buckets = bounds.map((bound) => counts.bounds.findIndex((one) => one >= bound));
  const bucketOf = (i: number) => ((buckets[i] ?? -1) < 0 ? counts.bounds.length : (buckets[i] as number));
  if (bounds.join() !== counts.bounds.join() || hasNative !== counts.hasNative) {
    warn(
      `${prefix}http_request_duration_seconds: workers differ in bucketsSeconds or nativeHistograms; using the buckets of the first worker`,
    );
    counts.hasNative &&= hasNative;
  }
  const source = {
    inProgress: 0,
    add(report: SourceReport): void {
      for (const [path, method, declared] of report.rows) rows.push(rowOf(counts, path, method, declared));
      for (const [row, code, createdMs] of report.cells) {
        const cell = cellOf(rows[row] as Row, code, counts.bounds);
        if (snapshotOf(cell).count === 0) cell.createdMs = Math.min(cell.createdMs, createdMs);
        cells.push(cell);
      }
      const { numbers } = report;
      for (let at = 0; at < numbers.length; )
        at = addNumbers(cells[numbers[at] as number] as Cell, numbers, at + 1, bucketOf);
      for (const [cell, exemplar] of report.exemplars ?? [])
        putExemplar(cells[cell] as Cell, counts.bounds, exemplar);
      source.inProgress = report.inProgress;
    },
    end: () => void sources.delete(source),
  };
  sources.add(source);
  return source;
}

function rowOf(counts: RequestCounts, path: string, method: string, declared: readonly number[] | null): Row {
  if (path === UNMATCHED) addUnmatched(counts, method);
  const row = path === UNMATCHED ? undefined : expose(counts, createRow(path, method, declared ?? undefined));
  return row ?? unmatchedRow(counts, method);
}

/** @returns the position of the next cell */
function addNumbers(
  cell: Cell,
  numbers: readonly number[],
  start: number,
  bucketOf: (i: number) => number,
): number {
  touch(cell);
  let at = start;
  const next = () => numbers[at++] as number;
  cell.sumSeconds += next();
  for (let left = next(); left > 0; left--) {
    const bucket = bucketOf(next());
    cell.buckets[bucket] = (cell.buckets[bucket] as number) + next();
  }
  for (let left = next(); left > 0; left--) {
    cell.native ??= new Float64Array(SLOTS);
    const slot = next();
    cell.native[slot] = (cell.native[slot] as number) + next();
  }
  return at;
}
