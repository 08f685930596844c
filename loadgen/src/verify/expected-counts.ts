/**
 * The counts that Prometheus must have after a run, from the generator's point of view: per route and method, how many requests were
 * answered with which status, and how many may or may not have been counted.
 */
import { z } from 'zod';

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

/** Merges several lists into one. */
export function sumExpectedCounts(all: readonly ExpectedCounts[]): ExpectedCount[] {
  const bySeries = Map.groupBy(all.flat(), ({ route, method }) => JSON.stringify([route, method]));
  return [...bySeries.values()].map((same) => ({
    ...(same[0] as ExpectedCount),
    answered: sumAnswered(same),
    unknown: same.reduce((sum, { unknown }) => sum + unknown, 0),
    notSent: same.reduce((sum, { notSent }) => sum + notSent, 0),
  }));
}

function sumAnswered(counts: ExpectedCounts): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const { answered } of counts)
    for (const [status, count] of Object.entries(answered)) sum[status] = (sum[status] ?? 0) + count;
  return sum;
}

/** How many requests the service must have counted, and how many more it may have counted. */
export function totalsOf(counts: ExpectedCounts): { answered: number; unknown: number } {
  const answered = counts.flatMap((one) => Object.values(one.answered)).reduce((a, b) => a + b, 0);
  return { answered, unknown: counts.reduce((sum, { unknown }) => sum + unknown, 0) };
}
