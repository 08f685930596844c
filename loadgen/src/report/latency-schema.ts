/** How the comparison of latencies stands in a report: in ms, one row for each series and quantile. */
import { z } from 'zod';

const rowSchema = z.strictObject({
  path: z.string(),
  method: z.string(),
  quantile: z.number(),
  measuredMs: z.number().meta({ description: "The generator's service time." }),
  prometheusMs: z.number().nullable().meta({ description: 'As PromQL tells it; null for classic buckets.' }),
  bucketMs: z.tuple([z.number(), z.number().nullable()]).meta({
    description: 'The bucket that the duration lies in, on the server; null for one without end.',
  }),
  explainedMs: z.tuple([z.number(), z.number().nullable()]).meta({
    description:
      'Where the service time must lie: the bucket, and what network, queues and lateness explain.',
  }),
  ok: z.boolean().nullable().meta({ description: 'Null where it is not judged.' }),
});

export const latencySchema = z.strictObject({
  kind: z.enum(['native', 'classic']),
  rows: z.array(rowSchema),
  notes: z.array(z.string()).meta({ description: 'What was not compared, and why.' }),
});

export type LatencyRow = z.output<typeof rowSchema>;
export type Latency = z.output<typeof latencySchema>;
