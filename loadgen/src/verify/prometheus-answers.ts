/** What Prometheus' HTTP API answers, as far as it is read here. */
import { z } from 'zod';

const labelsSchema = z.record(z.string(), z.string());
const point = z.tuple([z.number(), z.string()]);
const number = z.string().transform(Number);
/** Native; its buckets are not read. */
const histogram = z.object({ count: number, sum: number });

export const answerSchema = z.discriminatedUnion('resultType', [
  z.object({ resultType: z.literal('scalar'), result: point }),
  z.object({ resultType: z.literal('string'), result: point }),
  z.object({
    resultType: z.literal('vector'),
    result: z.array(
      z.object({
        metric: labelsSchema,
        value: point.optional(),
        histogram: z.tuple([z.number(), histogram]).optional(),
      }),
    ),
  }),
  z.object({
    resultType: z.literal('matrix'),
    // Native histograms have no `values`.
    result: z.array(z.object({ metric: labelsSchema, values: z.array(point).default([]) })),
  }),
]);

export const targetsSchema = z.object({
  activeTargets: z.array(
    z.object({ labels: labelsSchema, health: z.string(), lastError: z.string(), scrapeUrl: z.string() }),
  ),
});

export type Labels = Readonly<Record<string, string>>;
export type QueryAnswer = z.output<typeof answerSchema>;
export type Target = z.output<typeof targetsSchema>['activeTargets'][number];
