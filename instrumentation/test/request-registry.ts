/** A registry with the request metrics alone, and one row `GET a` to add requests to. */
import { Registry } from '@prometheus-io/client';
import { createRequestFamilies } from '../src/exposition/request-families.ts';
import { registerFamily } from '../src/library.ts';
import {
  addRequest,
  type CountsOptions,
  createRequestCounts,
  createRow,
  expose,
  initialise,
  type Row,
} from '../src/recording/counts.ts';

interface RequestCountsOptions extends Partial<CountsOptions> {
  readonly declared?: readonly number[];
}

export function createRequestRegistry({ declared, ...options }: RequestCountsOptions = {}) {
  const registry = new Registry();
  const onFull = () => undefined;
  const counts = createRequestCounts({
    ...{ bounds: [0.1, 0.5], hasNative: false, maxRows: 10, onFull },
    ...options,
  });
  const row = expose(counts, createRow('a', 'get', declared)) as Row;
  initialise(row, counts.bounds);
  for (const read of createRequestFamilies(counts)) registerFamily(registry, read);
  const add = (code: number, seconds: number) => addRequest(counts, row, code, seconds);
  return { registry, counts, row, add };
}
