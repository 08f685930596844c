/** The quantiles of a run as the generator measured them, and as Prometheus' histogram gives them: no verdict. */
import { z } from 'zod';
import { percentileMs, sumHistograms } from '../load/histogram.ts';
import { QUANTILES } from '../verify/quantiles.ts';

export const latencySchema = z.array(
  z.strictObject({
    quantile: z.number(),
    measuredMs: z.number().nullable().meta({ description: "The generator's service time." }),
    prometheusMs: z.number().nullable().meta({ description: 'Null if Prometheus has none.' }),
  }),
);
export type Latency = z.output<typeof latencySchema>;

/**
 * @param serviceTimes histograms of the generator
 * @param seconds those of {@link QUANTILES} that Prometheus gives
 */
export function compareLatency(
  serviceTimes: readonly string[],
  seconds: readonly (number | null)[],
): Latency {
  const measured = sumHistograms(serviceTimes, 3);
  return QUANTILES.map((quantile, n) => {
    const fromPrometheus = seconds[n] ?? null;
    return {
      quantile,
      measuredMs: measured.totalCount === 0 ? null : percentileMs(measured, quantile * 100),
      prometheusMs: fromPrometheus === null ? null : fromPrometheus * 1000,
    };
  });
}
