/** A phase as columns of numbers, which is what the page draws. Rates are per second, durations in ms; null is a gap. */
import { decodeHistogram, type Histogram, percentileMs } from '../../load/histogram.ts';
import type { PhasePlan, PhaseReport, Report } from '../report.ts';

type Column = readonly (number | null)[];

interface Percentiles {
  readonly p50: Column;
  readonly p90: Column;
  readonly p99: Column;
  readonly max: Column;
}

export interface PhaseCharts {
  readonly name: string;
  /** Middle of each interval, in seconds from the start. */
  readonly time: readonly number[];
  readonly rates: Readonly<Record<'asked' | 'sent' | 'answered' | 'errors' | 'dropped', Column>>;
  readonly latency: Percentiles;
  readonly serviceTime: Percentiles;
  readonly distribution: {
    /** 1 / (1 - p): 10 is the 90th percentile, 100 the 99th. */
    readonly oneIn: readonly number[];
    readonly latency: Column;
    readonly serviceTime: Column;
  };
}

const POINTS_PER_DECADE = 16;
/** Shorter last intervals would make a rate of a single request look high. */
const LEAST_SHARE = 0.2;

export function toCharts(phase: PhaseReport, { shard }: Report): PhaseCharts {
  const { intervalSeconds, points } = phase.timeline;
  const spans = points.map((_, n) => {
    const left = phase.durationSeconds - n * intervalSeconds;
    const width = Math.min(intervalSeconds, Math.max(left, LEAST_SHARE * intervalSeconds));
    return { from: n * intervalSeconds, width };
  });
  const perSecond = (of: (point: (typeof points)[number]) => number) =>
    points.map((point, n) => round(of(point) / (spans[n]?.width ?? intervalSeconds)));
  const asked = ({ from, width }: { from: number; width: number }) =>
    phase.plan.stages.length === 0
      ? null
      : round(askedBetween(phase.plan, from, from + width) / width / shard.of);
  return {
    name: phase.pattern,
    time: spans.map(({ from, width }) => round(from + width / 2)),
    rates: {
      asked: spans.map(asked),
      sent: perSecond(({ sent }) => sent),
      answered: perSecond(({ answered }) => answered),
      errors: perSecond(({ errors }) => errors),
      dropped: perSecond(({ dropped }) => dropped),
    },
    latency: toPercentiles(points.map(({ latency }) => latency)),
    serviceTime: toPercentiles(points.map(({ serviceTime }) => serviceTime)),
    distribution: toCurves(phase),
  };
}

function toPercentiles(texts: readonly (string | null)[]): Percentiles {
  const histograms = texts.map((text) => (text === null ? undefined : decodeHistogram(text)));
  const at = (percentile: number) => histograms.map((one) => durationAt(one, percentile));
  return { p50: at(50), p90: at(90), p99: at(99), max: at(100) };
}

function toCurves({ histograms, latencyMs, serviceTimeMs }: PhaseReport): PhaseCharts['distribution'] {
  const latency = decodeHistogram(histograms.latency);
  const serviceTime = decodeHistogram(histograms.serviceTime);
  const decades = Math.log10(Math.max(10, latency.totalCount, serviceTime.totalCount));
  const oneIn = Array.from({ length: Math.ceil(decades * POINTS_PER_DECADE) + 1 }, (_, n) =>
    round(10 ** (n / POINTS_PER_DECADE)),
  );
  const curve = (histogram: Histogram, max: number | undefined) =>
    oneIn.map((x) => (x > histogram.totalCount ? null : durationAt(histogram, 100 * (1 - 1 / x), max)));
  return {
    oneIn,
    latency: curve(latency, latencyMs?.max),
    serviceTime: curve(serviceTime, serviceTimeMs?.max),
  };
}

/** What a logarithmic axis can show: a duration below the clock's resolution is shown as one microsecond. */
function durationAt(histogram: Histogram | undefined, percentile: number, maxMs?: number): number | null {
  if (histogram === undefined || histogram.totalCount === 0) return null;
  return round(Math.max(0.001, percentileMs(histogram, percentile, maxMs)));
}

/** The area under the asked rate: how many requests were due between two moments, in seconds. */
function askedBetween({ stages }: PhasePlan, from: number, to: number): number {
  let startSeconds = 0;
  let sum = 0;
  for (const { durationSeconds, fromPerSecond, toPerSecond } of stages) {
    const [a, b] = [Math.max(from, startSeconds), Math.min(to, startSeconds + durationSeconds)];
    const slope = (toPerSecond - fromPerSecond) / durationSeconds;
    if (b > a) sum += (b - a) * (fromPerSecond + slope * ((a + b) / 2 - startSeconds));
    startSeconds += durationSeconds;
  }
  return sum;
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
