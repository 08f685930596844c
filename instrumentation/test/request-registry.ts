/** A registry with the request metrics alone, and one row `GET a` to add requests to. */
import { createRequestFamilies } from '../src/exposition/request-families.ts';
import { Registry, registerFamily } from '../src/library.ts';
import {
  addRequest,
  type CountsOptions,
  createRequestCounts,
  createRow,
  expose,
  initialise,
  type Row,
} from '../src/recording/counts.ts';

export const NAMES = {
  requests: 'http_requests_total',
  errors: 'http_errors_total',
  inProgress: 'inprogress_requests',
  duration: 'http_request_duration_seconds',
};
export const LABELS = { path: 'path', method: 'method', code: 'code' };

interface RequestCountsOptions extends Partial<CountsOptions> {
  readonly declared?: readonly number[];
}

export function createCounts({ declared, ...options }: RequestCountsOptions = {}) {
  const counts = createRequestCounts({
    bounds: [0.1, 0.5],
    maxRows: 10,
    onFull: () => undefined,
    ...options,
  });
  const row = expose(counts, createRow('a', 'get', declared)) as Row;
  initialise(row, counts.bounds);
  return { counts, row, add: (code: number, seconds: number) => addRequest(counts, row, code, seconds) };
}

export function createRequestRegistry({
  maxBuckets = 160,
  ...options
}: RequestCountsOptions & { maxBuckets?: number } = {}) {
  const registry = new Registry();
  const created = createCounts(options);
  const families = createRequestFamilies(created.counts, NAMES, LABELS, maxBuckets);
  for (const read of Object.values(families)) registerFamily(registry, read);
  return { registry, ...created };
}
