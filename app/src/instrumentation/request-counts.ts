/**
 * The numbers behind the request metrics, preallocated from the route table and free of any client library. A request
 * is added once, when it ends, to one cell (path x method x code). Every metric is a sum over these cells, so they agree
 * with each other at every scrape, and counting costs a search among the bucket bounds and two additions.
 */
import type { RouteLabels } from './route-table.ts';

/** The `path` of requests that no route matched. */
export const UNMATCHED = 'unmatched';

/** The code of a request whose client closed before the response was complete (nginx's "client closed request"). */
export const CLIENT_CLOSED = 499;

/** The ended requests of one path, method and code. */
export interface Cell {
  /** The `code` label: a declared code, or the class (`4xx`) of one that its route did not declare. */
  readonly code: string;
  /** Requests by bucket, not cumulated; the last is +Inf. */
  readonly buckets: number[];
  /** Sum of the durations, in seconds. */
  sumSeconds: number;
}

/** The cells of one path and method. */
export interface Series {
  readonly path: string;
  readonly method: string;
  readonly cells: Cell[];
  /** From status code to cell; undeclared codes are added as they occur. */
  readonly byCode: Map<number, Cell>;
}

/** All cells, and the requests that have started and not ended. */
export interface RequestCounts {
  /** Ascending upper bounds of the buckets, in seconds, without +Inf. */
  readonly bounds: readonly number[];
  readonly routed: readonly Series[];
  readonly unmatched: readonly Series[];
  inProgress: number;
}

/**
 * Allocates the cells: each row's declared codes, 499 and 500; for unmatched requests 404, 405, 499 and 500, by the
 * methods of the table and `other`.
 * @throws when two rows have the same path and method, or a row declares what is no status code
 */
export function createRequestCounts(
  routes: readonly RouteLabels[],
  bounds: readonly number[],
): RequestCounts {
  const rows = new Map<string, Series>();
  for (const { path, method, codes } of routes) {
    const wrong = codes.find((code) => !Number.isInteger(code) || code < 100 || code > 599);
    if (wrong !== undefined)
      throw new RangeError(`${method} ${path}: ${wrong} is not a status code (100-599)`);
    if (rows.has(`${method} ${path}`) || path === UNMATCHED) {
      throw new Error(`${method} ${path}: the path and method are taken`);
    }
    rows.set(`${method} ${path}`, createSeries(path, method, codes, bounds));
  }
  const methods = new Set([...routes.map((route) => route.method as string), 'other']);
  return {
    bounds,
    routed: [...rows.values()],
    unmatched: [...methods].map((method) => createSeries(UNMATCHED, method, [404, 405], bounds)),
    inProgress: 0,
  };
}

/** Adds one ended request. Never throws and never adds a series that a client chose: see `classCell`. */
export function addRequest(counts: RequestCounts, series: Series, code: number, seconds: number): void {
  const { bounds } = counts;
  const cell = series.byCode.get(code) ?? classCell(series, code, bounds);
  let bucket = 0;
  while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket++;
  cell.buckets[bucket] = (cell.buckets[bucket] as number) + 1;
  cell.sumSeconds += seconds;
}

/** The number of requests in `cell`. */
export function total(cell: Cell): number {
  let sum = 0;
  for (const count of cell.buckets) sum += count;
  return sum;
}

/** A code that the route did not declare is counted under its class: at most five more cells for each path and method. */
function classCell(series: Series, code: number, bounds: readonly number[]): Cell {
  const label = `${Math.min(Math.max(Math.floor(code / 100), 1), 5)}xx`;
  let cell = series.cells.find((candidate) => candidate.code === label);
  if (!cell) {
    cell = createCell(label, bounds);
    series.cells.push(cell);
  }
  series.byCode.set(code, cell);
  return cell;
}

function createSeries(
  path: string,
  method: string,
  codes: readonly number[],
  bounds: readonly number[],
): Series {
  const all = [...new Set([...codes, CLIENT_CLOSED, 500])].sort((a, b) => a - b);
  const byCode = new Map(all.map((code) => [code, createCell(String(code), bounds)]));
  return { path, method, cells: [...byCode.values()], byCode };
}

function createCell(code: string, bounds: readonly number[]): Cell {
  return { code, buckets: [...bounds, Number.POSITIVE_INFINITY].map(() => 0), sumSeconds: 0 };
}
