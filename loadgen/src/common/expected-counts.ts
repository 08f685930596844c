/**
 * The counts that Prometheus must have after a run, as seen by the generator: for each route and method, the number of responses
 * with each status, and the number of requests that may or may not have been counted.
 */
import { z } from 'zod';
import { sumOf, sumRecords } from './sums.ts';

const count = z.int().min(0);

const entrySchema = z.strictObject({
  route: z.string().nullable().meta({
    description:
      'Null for targets that declare no series: counters with a route label are then compared by their totals.',
  }),
  method: z.string(),
  path: z.string().meta({ description: 'The requested path without its query; the first of several paths.' }),
  answered: z.record(z.string().regex(/^\d{3}$/), count).meta({
    description: 'Complete responses by status. The service must have counted each exactly once.',
  }),
  unknown: count.meta({
    description: 'Sent, but without a complete response: counted once or not at all, with any code.',
  }),
  notSent: count.meta({ description: 'Not sent, so it cannot have been counted.' }),
});
export const expectedCountsSchema = z.array(entrySchema);

export type ExpectedCount = z.output<typeof entrySchema>;
export type ExpectedCounts = readonly ExpectedCount[];

export function sumExpectedCounts(all: readonly ExpectedCounts[]): ExpectedCount[] {
  const bySeries = Map.groupBy(all.flat(), ({ route, method }) => JSON.stringify([route, method]));
  return [...bySeries.values()].map((same) => ({
    ...(same[0] as ExpectedCount),
    answered: sumRecords(same.map(({ answered }) => answered)),
    unknown: sumOf(same, ({ unknown }) => unknown),
    notSent: sumOf(same, ({ notSent }) => notSent),
  }));
}

/** The number of requests that the service must have counted, and the number that it may have counted in addition. */
export function totalsOf(counts: ExpectedCounts): { answered: number; unknown: number } {
  const answered = sumOf(Object.values(sumRecords(counts.map((one) => one.answered))), Number);
  return { answered, unknown: sumOf(counts, ({ unknown }) => unknown) };
}
