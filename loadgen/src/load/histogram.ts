/**
 * Distributions of durations as HDR histograms of microseconds. All histograms have the same buckets, so those of several processes
 * or machines add up exactly, and a percentile of the sum is the percentile of all samples.
 */
import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from 'hdr-histogram-js';
import { z } from 'zod';

export type { Histogram };

export const LATENCY_METRICS = ['p50', 'p90', 'p95', 'p99', 'p99.9', 'max', 'mean'] as const;
export type LatencyMetric = (typeof LATENCY_METRICS)[number];

export const distributionSchema = z
  .record(z.enum(LATENCY_METRICS), z.number())
  .meta({ description: 'In ms.' });
export type Distribution = z.output<typeof distributionSchema>;

const MICROSECONDS = 1000;
/** Two seconds; the histogram grows for higher values. */
const FIRST_HIGHEST = 2_000_000;

/** @param digits significant digits: 3 for totals, 2 if there are many histograms */
export function createHistogram(digits: 2 | 3): Histogram {
  return build({
    highestTrackableValue: FIRST_HIGHEST,
    numberOfSignificantValueDigits: digits,
    autoResize: true,
  });
}

export function record(into: Histogram, durationMs: number): void {
  into.recordValue(Math.max(0, Math.round(durationMs * MICROSECONDS)));
}

/** Encodes in HDR's compressed format (V2), which other programs can read. */
export const encodeHistogram: (histogram: Histogram) => string = encodeIntoCompressedBase64;

export const histogramSchema = z.string().refine(isHistogram, 'expected an HDR histogram');

function isHistogram(text: string): boolean {
  try {
    decodeHistogram(text);
    return true;
  } catch {
    return false;
  }
}

/** @throws an error of the library if the text is not an encoded histogram */
export function decodeHistogram(text: string): Histogram {
  const histogram = decodeFromCompressedBase64(text, 32, false);
  // Like a recorded histogram, because one with longer durations may be added.
  histogram.autoResize = true;
  return histogram;
}

/** The sum of several histograms of the same precision. */
export function sumHistograms(digits: 2 | 3, texts: readonly string[]): Histogram {
  const sum = createHistogram(digits);
  for (const text of texts) sum.add(decodeHistogram(text));
  return sum;
}

/**
 * In ms; NaN without samples. Percentiles and the maximum are upper bounds of buckets, so that the sum of encoded parts has the
 * same values as a single histogram.
 */
export function percentileMs(histogram: Histogram, percentile: number): number {
  return histogram.totalCount === 0 ? Number.NaN : histogram.getValueAtPercentile(percentile) / MICROSECONDS;
}

export function toDistribution(histogram: Histogram): Distribution | null {
  if (histogram.totalCount === 0) return null;
  const at = (percentile: number) => percentileMs(histogram, percentile);
  return {
    mean: histogram.mean / MICROSECONDS,
    p50: at(50),
    p90: at(90),
    p95: at(95),
    p99: at(99),
    'p99.9': at(99.9),
    max: at(100),
  };
}
