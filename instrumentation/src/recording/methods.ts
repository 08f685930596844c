/** The label values of request methods: bounded, independent of what clients send. */
import { OTHER_METHOD, type RequestCounts } from './counts.ts';

/** The methods to expect of a handler for all methods. */
export const COMMON_METHODS: readonly string[] = ['get', 'post', 'put', 'patch', 'delete'];

/** The label of a route's method: the GET route answers HEAD, which counts as `get`. */
export const labelOf = (method: string): string => (method === 'head' ? 'get' : method);

/** The label of a request's method: a common one or one that a route has, and otherwise `other`. */
export function methodLabel(counts: RequestCounts, method = ''): string {
  const label = labelOf(method.toLowerCase());
  const isKnown = COMMON_METHODS.includes(label) || label === 'options' || counts.unmatched.has(label);
  return isKnown ? label : OTHER_METHOD;
}
