/**
 * The numbers behind the request metrics, independent of client libraries and Express. An ended request is added to one
 * cell (path x method x code). Every metric is a sum over these cells, so all metrics agree at every scrape, and counting a
 * request costs a search among the bucket bounds and two additions.
 */
import { SLOTS, slotOf } from './native-buckets.ts';
import { CLIENT_CLOSED } from './outcome.ts';
import { detach, type Exemplar, type Numbers, type Snapshot, takeSnapshot } from './snapshot.ts';

/** The `path` of requests that no route handled. */
export const UNMATCHED = 'unmatched';

/** The method label of requests whose method no route has. */
export const OTHER_METHOD = 'other';

/** The codes of a route that declares none. */
const DEFAULT_CODES: readonly number[] = [200];
const UNMATCHED_CODES: readonly number[] = [404, 405];

/**
 * A route without declared codes shows each code as it occurs, up to this many, and counts further ones by class. No API
 * uses so many codes, and the limit also bounds a handler that sends any code that its client requests.
 */
export const MAX_CODES = 16;

/** `1xx` to `5xx`. */
export const CODE_CLASSES = 5;

/** The ended requests of one path, method and code. */
export interface Cell extends Numbers {
  /** The `code` label: a status code, or the class (`4xx`) of a code that its row does not show. */
  readonly code: string;
  readonly buckets: number[];
  native: Float64Array | undefined;
  sumSeconds: number;
  exemplars: (Exemplar | undefined)[] | undefined;
  /** The time from which each bucket accepts its next exemplar, in milliseconds of the recorder's clock. */
  exemplarsDueMs: Float64Array | undefined;
  /** The time at which the cell was created with a count of 0, in milliseconds since 1970. */
  createdMs: number;
  /** The numbers that a scrape has read; valid until something is added. */
  snapshot: Snapshot | undefined;
}

/** One path and method: a line of `http_requests_total`, which is the sum of its cells. */
export interface Row {
  readonly path: string;
  readonly method: string;
  readonly cells: Cell[];
  /** From status code to cell. Filled when the row is exposed, or with its first request. */
  readonly byCode: Map<number, Cell>;
  /** The codes that exist at 0; every other code counts under its class. */
  readonly declared: readonly number[] | undefined;
  /** Whether it is exposed; otherwise its first request exposes it. */
  exposed: boolean;
}

export interface CountsOptions {
  /** Ascending upper bounds of the buckets, in seconds, without +Inf. */
  readonly bounds: readonly number[];
  /** Whether durations are also counted in native buckets. */
  readonly hasNative: boolean;
  /** The maximum number of exposed rows; requests of further rows count as unmatched. */
  readonly maxRows: number;
  /** Called once, when the first row is refused. */
  readonly onFull: () => void;
}

/** All rows, and the number of requests in progress. */
export interface RequestCounts extends CountsOptions {
  /** Exposed rows of routes and mounts, by path and method; see {@link keyOf}. */
  readonly routed: Map<string, Row>;
  /** By method label; `other` last. */
  readonly unmatched: Map<string, Row>;
  inProgress: number;
  isFull: boolean;
}

export function createRequestCounts(options: CountsOptions): RequestCounts {
  const counts: RequestCounts = {
    ...options,
    routed: new Map(),
    unmatched: new Map(),
    inProgress: 0,
    isFull: false,
  };
  for (const method of ['get', OTHER_METHOD]) addUnmatched(counts, method);
  return counts;
}

/** A row that is not exposed yet. */
export function createRow(path: string, method: string, declared?: readonly number[]): Row {
  return { path, method, cells: [], byCode: new Map(), declared, exposed: false };
}

/**
 * Exposes `row`, unless a row of the same path and method is already exposed.
 * @returns the row to count on; undefined if there are too many, or its path is the label of unmatched requests
 */
export function expose(counts: RequestCounts, row: Row): Row | undefined {
  if (row.exposed) return row;
  // This label belongs to the rows of requests without a route.
  if (row.path === UNMATCHED) return undefined;
  const key = keyOf(row.path, row.method);
  const known = counts.routed.get(key);
  if (known) return known;
  if (counts.routed.size >= counts.maxRows) {
    if (!counts.isFull) counts.onFull();
    counts.isFull = true;
    return undefined;
  }
  row.exposed = true;
  counts.routed.set(key, row);
  return row;
}

/** Gives `row` the cells of its codes, of 499 and of 500, at 0. */
export function initialise(row: Row, bounds: readonly number[]): void {
  if (row.cells.length > 0) return;
  const codes = [...new Set([...(row.declared ?? DEFAULT_CODES), CLIENT_CLOSED, 500])].sort((a, b) => a - b);
  for (const code of codes) addCell(row, String(code), bounds, code);
}

/** Distinguishes requests without a route by `method` from now on. */
export function addUnmatched(counts: RequestCounts, method: string): void {
  if (counts.unmatched.has(method)) return;
  const row = createRow(UNMATCHED, method, undefined);
  for (const code of [...UNMATCHED_CODES, CLIENT_CLOSED, 500])
    addCell(row, String(code), counts.bounds, code);
  row.exposed = true;
  const other = counts.unmatched.get(OTHER_METHOD);
  counts.unmatched.delete(OTHER_METHOD);
  counts.unmatched.set(method, row);
  if (other) counts.unmatched.set(OTHER_METHOD, other);
}

/** The row of a request that no route handled. `method` is a label: `get`. */
export function unmatchedRow(counts: RequestCounts, method: string): Row {
  return counts.unmatched.get(method) ?? (counts.unmatched.get(OTHER_METHOD) as Row);
}

/** All exposed rows, those of routes and mounts first. */
export const rowsOf = ({ routed, unmatched }: RequestCounts): Row[] => [
  ...routed.values(),
  ...unmatched.values(),
];

export const keyOf = (path: string, method: string) => `${method} ${path}`;

/**
 * Adds one ended request. Never throws, and never adds more than {@link MAX_CODES} and {@link CODE_CLASSES} cells to a row.
 * @returns its cell
 */
export function addRequest(
  { bounds, hasNative }: RequestCounts,
  row: Row,
  code: number,
  seconds: number,
  bucket = bucketOf(bounds, seconds),
): Cell {
  const cell = row.byCode.get(code) ?? newCell(row, code, bounds);
  touch(cell);
  cell.buckets[bucket] = (cell.buckets[bucket] as number) + 1;
  if (hasNative) {
    cell.native ??= new Float64Array(SLOTS);
    const slot = slotOf(seconds);
    cell.native[slot] = (cell.native[slot] as number) + 1;
  }
  cell.sumSeconds += seconds;
  return cell;
}

export function bucketOf(bounds: readonly number[], seconds: number): number {
  let bucket = 0;
  while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket++;
  return bucket;
}

/** Call it before the numbers of `cell` change, so that a scrape in progress keeps the old ones. */
export function touch(cell: Cell): void {
  if (!cell.snapshot) return;
  detach(cell.snapshot);
  cell.snapshot = undefined;
}

/** The current numbers of `cell`; the same object until they change. */
export function snapshotOf(cell: Cell): Snapshot {
  cell.snapshot ??= takeSnapshot(cell);
  return cell.snapshot;
}

function newCell(row: Row, code: number, bounds: readonly number[]): Cell {
  initialise(row, bounds);
  const known = row.byCode.get(code);
  if (known) return known;
  const isCode = code >= 100 && code <= 599;
  if (!row.declared && isCode && row.cells.length < MAX_CODES)
    return addCell(row, String(code), bounds, code);
  const cell = classCell(row, `${Math.min(Math.max(Math.floor(code / 100), 1), CODE_CLASSES)}xx`, bounds);
  row.byCode.set(code, cell);
  return cell;
}

function classCell(row: Row, label: string, bounds: readonly number[]): Cell {
  return row.cells.find(({ code }) => code === label) ?? addCell(row, label, bounds, undefined);
}

/** The cell of `row` for a code label from another process. */
export function cellOf(row: Row, label: string, bounds: readonly number[]): Cell {
  const code = Number(label);
  return Number.isNaN(code)
    ? classCell(row, label, bounds)
    : (row.byCode.get(code) ?? newCell(row, code, bounds));
}

function addCell(row: Row, label: string, bounds: readonly number[], code: number | undefined): Cell {
  const buckets = Array.from({ length: bounds.length + 1 }, () => 0);
  const cell: Cell = {
    code: label,
    buckets,
    native: undefined,
    exemplars: undefined,
    exemplarsDueMs: undefined,
    createdMs: Date.now(),
    sumSeconds: 0,
    snapshot: undefined,
  };
  row.cells.push(cell);
  if (code !== undefined) row.byCode.set(code, cell);
  return cell;
}
