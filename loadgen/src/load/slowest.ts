/** The slowest of the requests that were sent with a trace id: those whose traces are worth a look. */
import { z } from 'zod';

/** So many are kept. */
const MOST = 10;

export const slowRequestSchema = z.strictObject({
  traceId: z.string().regex(/^[\da-f]{32}$/),
  target: z.string(),
  endedWith: z.string().meta({ description: 'A status, or why there was no answer.' }),
  latencyMs: z.number(),
  serviceTimeMs: z.number(),
});
export type SlowRequest = z.output<typeof slowRequestSchema>;

/** The first of `requests` by service time, which is what a trace shows, in that order. */
export function slowestOf(requests: readonly SlowRequest[]): SlowRequest[] {
  return requests.toSorted((a, b) => b.serviceTimeMs - a.serviceTimeMs).slice(0, MOST);
}

export class Slowest {
  #kept: SlowRequest[] = [];

  /** @param describe is called only for a request that is kept */
  add(serviceTimeMs: number, describe: () => Omit<SlowRequest, 'serviceTimeMs'>): void {
    const last = this.#kept[MOST - 1];
    if (last && last.serviceTimeMs >= serviceTimeMs) return;
    this.#kept = slowestOf([...this.#kept, { ...describe(), serviceTimeMs }]);
  }

  toReport(): SlowRequest[] {
    return [...this.#kept];
  }
}
