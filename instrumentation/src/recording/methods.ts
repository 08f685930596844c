/** The label values of request methods: a bounded set, whatever clients send. */
import { OTHER_METHOD, type RequestCounts } from './counts.ts';

/** The methods that a handler for all methods is expected to receive. */
export const COMMON_METHODS: readonly string[] = ['get', 'post', 'put', 'patch', 'delete'];

/** The label of a route's method. A GET route also handles HEAD, which counts as `get`. */
export const labelOf = (method: string): string => (method === 'head' ? 'get' : method);

/** The label of a request's method: the method itself if it is common or a route has it, otherwise `other`. */
export function methodLabel(counts: RequestCounts, method = ''): string {
  const label = labelOf(method.toLowerCase());
  const isKnown = COMMON_METHODS.includes(label) || label === 'options' || counts.unmatched.has(label);
  return isKnown ? label : OTHER_METHOD;
}
