/** The slowest requests that were sent with a trace id: their traces are the most useful ones. */
import { z } from 'zod';

const MOST = 10;

export const slowRequestSchema = z.strictObject({
  traceId: z.string().regex(/^[\da-f]{32}$/),
  target: z.string(),
  endedWith: z
    .string()
    .meta({ description: 'The status, or the reason why there was no complete response.' }),
  latencyMs: z.number(),
  serviceTimeMs: z.number(),
});
export type SlowRequest = z.output<typeof slowRequestSchema>;

/** The slowest of `requests`, sorted by service time, which is the time that a trace shows. */
export function slowestOf(requests: readonly SlowRequest[]): SlowRequest[] {
  return requests.toSorted((a, b) => b.serviceTimeMs - a.serviceTimeMs).slice(0, MOST);
}

export class Slowest {
  kept: readonly SlowRequest[] = [];

  /** @param describe called only for requests that are kept */
  add(serviceTimeMs: number, describe: () => Omit<SlowRequest, 'serviceTimeMs'>): void {
    const last = this.kept[MOST - 1];
    if (last && last.serviceTimeMs >= serviceTimeMs) return;
    this.kept = slowestOf([...this.kept, { ...describe(), serviceTimeMs }]);
  }
}
