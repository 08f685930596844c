/**
 * Distributions of durations as HDR histograms of microseconds: their buckets are the same everywhere, so that those of
 * several processes or machines add up exactly, and a percentile of the sum is the percentile of all samples.
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
/** Two seconds; the histogram resizes itself for more. */
const FIRST_HIGHEST = 2_000_000;

/** @param digits significant digits of a value: 3 for the totals, 2 where there are many of them */
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

/** A text in HDR's own compressed format (V2), which other programs read as well. */
export function encodeHistogram(histogram: Histogram): string {
  return encodeIntoCompressedBase64(histogram);
}

/** An encoded one, as reports hold it. */
export const histogramSchema = z.string().refine(isHistogram, 'expected an HDR histogram');

function isHistogram(text: string): boolean {
  try {
    decodeHistogram(text);
    return true;
  } catch {
    return false;
  }
}

/** @throws TypeError for a text that is none */
export function decodeHistogram(text: string): Histogram {
  try {
    return decodeFromCompressedBase64(text, 32, false);
  } catch (error) {
    throw new TypeError('not an HDR histogram', { cause: error });
  }
}

/** One histogram of all samples of several of the same precision. */
export function sumHistograms(texts: readonly string[], digits: 2 | 3): Histogram {
  const sum = createHistogram(digits);
  for (const text of texts) sum.add(decodeHistogram(text));
  return sum;
}

/**
 * In ms; NaN where there are no samples. A percentile is the upper end of its bucket, and so is the highest value: only then are
 * those of a sum, whose parts have been encoded, the same as those of a single histogram.
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
