/** The quantiles of a run, measured by the generator and calculated from Prometheus' histogram. Without a verdict. */
import { z } from 'zod';
import { formatMs } from '../common/units.ts';
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

export function latencyCells(latency: Latency): string[][] {
  return latency.map(({ quantile, ...times }) => [
    `p${quantile * 100}`,
    formatMs(times.measuredMs),
    formatMs(times.prometheusMs),
  ]);
}

/**
 * @param serviceTimes histograms of the generator
 * @param seconds the values of {@link QUANTILES} from Prometheus
 */
export function compareLatency(
  serviceTimes: readonly string[],
  seconds: readonly (number | null)[],
): Latency {
  const measured = sumHistograms(3, serviceTimes);
  return QUANTILES.map((quantile, n) => {
    const fromPrometheus = seconds[n] ?? null;
    return {
      quantile,
      measuredMs: measured.totalCount === 0 ? null : percentileMs(measured, quantile * 100),
      prometheusMs: fromPrometheus === null ? null : fromPrometheus * 1000,
    };
  });
}
