/**
 * Creates the families of the four request metrics from the counts. The values are taken in one turn of the event loop, so
 * they agree with each other; they are rendered when a format is requested.
 */
import { type Cell, type RequestCounts, rowsOf, snapshotOf } from '../recording/counts.ts';
import type { Exemplar } from '../recording/snapshot.ts';
import { Durations } from './durations.ts';
import type { Family, Sample } from './family.ts';

/**
 * @param prefix the prefix of each name
 * @returns a function per family that reads the values when it is called: at a scrape, never during a request
 */
export function createRequestFamilies(counts: RequestCounts, prefix = ''): readonly (() => Family)[] {
  const durations = new Durations(counts, `${prefix}http_request_duration_seconds`);
  return [
    /** Ended requests by path and method, of routes and mounts only. */
    () => ({
      name: `${prefix}http_requests_total`,
      help: 'Total number of requests',
      type: 'counter',
      values: Array.from(counts.routed.values(), ({ path, method, cells }) => ({
        labels: { path, method },
        ...sumOf(cells),
      })),
    }),
    /** Ended requests by code from 400 up, with or without a route. */
    () => ({
      name: `${prefix}http_errors_total`,
      help: 'Total number of errors',
      type: 'counter',
      values: errorsOf(counts),
    }),
    () => ({
      name: `${prefix}inprogress_requests`,
      help: 'Total number of requests in progress',
      type: 'gauge',
      values: [{ labels: {}, value: counts.inProgress }],
    }),
    () => durations.read(),
  ];
}

function errorsOf(counts: RequestCounts): Sample[] {
  const byCode = new Map<string, Cell[]>();
  for (const { cells } of rowsOf(counts)) {
    for (const cell of cells) {
      if (cell.code < '400') continue;
      const same = byCode.get(cell.code);
      if (same) same.push(cell);
      else byCode.set(cell.code, [cell]);
    }
  }
  const codes = [...byCode.keys()].sort();
  return codes.map((code) => {
    const cells = byCode.get(code) ?? [];
    return { labels: { code }, ...sumOf(cells), ...newestOf(cells) };
  });
}

/** The newest exemplar of the cells, as an exemplar of the error counter. */
function newestOf(cells: readonly Cell[]): Pick<Sample, 'exemplar'> {
  let newest: Exemplar | undefined;
  for (const { exemplars } of cells)
    for (const one of exemplars ?? []) if (one && one.timestamp >= (newest?.timestamp ?? 0)) newest = one;
  return newest ? { exemplar: { ...newest, value: 1 } } : {};
}

/** The sum of the cells, and the time at which counting started. */
function sumOf(cells: readonly Cell[]): Pick<Sample, 'value' | 'createdMs'> {
  let value = 0;
  let createdMs: number | undefined;
  for (const cell of cells) {
    value += snapshotOf(cell).count;
    createdMs = Math.min(createdMs ?? cell.createdMs, cell.createdMs);
  }
  return { value, createdMs };
}
