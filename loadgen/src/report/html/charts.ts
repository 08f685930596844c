/** The charts of a phase: rates per second, durations in ms, and their distribution. Null represents a gap. */
import { formatMs } from '../../common/units.ts';
import { decodeHistogram, type Histogram, percentileMs } from '../../load/histogram.ts';
import type { PhasePlan, PhaseReport } from '../report.ts';
import type { Axis, Chart, Line } from './svg.ts';

const POINTS_PER_DECADE = 16;
/** In a last interval with a smaller share than this, a single request would look like a high rate. */
const LEAST_SHARE = 0.2;
const RATES = ['sent', 'answered', 'errors', 'dropped'] as const;
const PERCENTILES = { p50: 50, p90: 90, p99: 99, max: 100 } as const;

export type DurationKind = 'latency' | 'serviceTime';

/** @param shards the number of shards, because the planned rate is that of the whole run */
export function ratesChart(phase: PhaseReport, shards: number): Chart {
  const { intervalSeconds, points } = phase.timeline;
  const spans = points.map((_, n) => {
    const left = phase.durationSeconds - n * intervalSeconds;
    const width = Math.min(intervalSeconds, Math.max(left, LEAST_SHARE * intervalSeconds));
    return { from: n * intervalSeconds, width };
  });
  const asked: Line = {
    label: 'planned',
    color: 'asked',
    isDashed: true,
    values: spans.map(({ from, width }) => askedBetween(phase.plan, from, from + width) / width / shards),
  };
  const lines = RATES.map((name) => ({
    label: name,
    color: name,
    values: points.map((point, n) => point[name] / (spans[n]?.width ?? intervalSeconds)),
  }));
  const all = phase.plan.stages.length === 0 ? lines : [asked, ...lines];
  const highest = Math.max(0, ...knownOf(all)) || 1;
  const format = (value: number) => Number(value.toPrecision(3)).toLocaleString('en-US');
  return {
    x: spans.map(({ from, width }) => from + width / 2),
    lines: all,
    xAxis: timeAxis(phase),
    yAxis: { range: [0, highest * 1.08], isLog: false, format },
  };
}

/** Latency and service time share one scale, so that the charts can be compared. */
export function durationCharts(phase: PhaseReport): Record<DurationKind, Chart> {
  const { intervalSeconds, points } = phase.timeline;
  const x = points.map((_, n) => (n + 0.5) * intervalSeconds);
  const linesOf = (kind: DurationKind): Line[] => {
    const histograms = points.map((point) => {
      const text = point[kind];
      return text === null ? undefined : decodeHistogram(text);
    });
    return Object.entries(PERCENTILES).map(([name, percentile]) => ({
      label: name,
      color: name,
      values: histograms.map((one) => durationAt(one, percentile)),
    }));
  };
  const [latency, serviceTime] = [linesOf('latency'), linesOf('serviceTime')];
  const axes = { x, xAxis: timeAxis(phase), yAxis: durationAxis([...latency, ...serviceTime]) };
  return { latency: { ...axes, lines: latency }, serviceTime: { ...axes, lines: serviceTime } };
}

export function distributionChart({ histograms }: PhaseReport): Chart {
  return curves([
    { label: 'latency', color: 'errors', text: histograms.latency },
    { label: 'service time', color: 'sent', text: histograms.serviceTime },
  ]);
}

export function comparisonChart(a: PhaseReport, b: PhaseReport, kind: DurationKind): Chart {
  return curves([
    { label: 'A', color: 'sent', text: a.histograms[kind] },
    { label: 'B', color: 'p99', isDashed: true, text: b.histograms[kind] },
  ]);
}

/** The x-axis is 1 / (1 - p), where 10 is the 90th percentile and 100 the 99th, up to the slowest request. */
function curves(given: readonly (Omit<Line, 'values'> & { readonly text: string })[]): Chart {
  const decoded = given.map(({ text, ...line }) => ({ line, histogram: decodeHistogram(text) }));
  const most = Math.max(10, ...decoded.map(({ histogram }) => histogram.totalCount));
  const x = Array.from(
    { length: Math.ceil(Math.log10(most) * POINTS_PER_DECADE) + 1 },
    (_, n) => 10 ** (n / POINTS_PER_DECADE),
  );
  const lines = decoded.map(({ line, histogram }) => ({
    ...line,
    values: x.map((oneIn) =>
      oneIn > histogram.totalCount ? null : durationAt(histogram, 100 * (1 - 1 / oneIn)),
    ),
  }));
  const xAxis: Axis = { range: [1, x.at(-1) ?? 10], isLog: true, format: formatPercentile };
  return { x, lines, xAxis, yAxis: durationAxis(lines) };
}

/** A duration below the clock's resolution is drawn as one microsecond, because the axis is logarithmic. */
function durationAt(histogram: Histogram | undefined, percentile: number): number | null {
  if (histogram === undefined || histogram.totalCount === 0) return null;
  return Math.max(0.001, percentileMs(histogram, percentile));
}

/** The area under the planned rate: the number of requests that were due between two times, in seconds. */
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

function knownOf(lines: readonly Line[]): number[] {
  return lines.flatMap(({ values }) => values).filter((value) => value !== null);
}

function timeAxis({ timeline }: PhaseReport): Axis {
  const seconds = timeline.intervalSeconds * Math.max(1, timeline.points.length);
  const format = (value: number) => (value === 0 ? '0' : formatMs(value * 1000));
  return { range: [0, seconds], isLog: false, format };
}

/** The range of whole decades that contains the values. */
function durationAxis(lines: readonly Line[]): Axis {
  const powers = knownOf(lines).map(Math.log10);
  const low = powers.length === 0 ? 0 : Math.floor(Math.min(...powers));
  const high = Math.max(low + 1, Math.ceil(Math.max(...powers)));
  return { range: [10 ** low, 10 ** high], isLog: true, format: formatMs };
}

function formatPercentile(oneIn: number): string {
  return `${Number((100 * (1 - 1 / oneIn)).toPrecision(Math.ceil(Math.log10(oneIn)) + 1))}%`;
}
