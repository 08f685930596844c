import { describe, expect, it } from '@jest/globals';
import { sumExpectedCounts } from '../src/common/expected-counts.ts';
import { decodeHistogram, percentileMs } from '../src/load/histogram.ts';
import { numbersSchema, sumNumbers } from '../src/load/numbers.ts';
import { randomAt } from '../src/load/random.ts';
import { Summary } from '../src/load/summary.ts';

const targets = [
  { method: 'GET', path: '/a', series: { route: 'a' } },
  { method: 'GET', path: '/a?x', series: { route: 'a' } },
  { method: 'POST', path: '/b', expect: 201 },
];

function createSummary(plannedMs: number | undefined = 20_000): Summary {
  return new Summary({ startMs: 0, plannedMs, targets });
}

/** The outcome of request k: mostly responses after some ms, and sometimes each of the other outcomes. */
function feed(summary: Summary, k: number): void {
  const dueMs = k * 2;
  const target = k % 3;
  const sentMs = dueMs + 3 * randomAt(1, k);
  const endedMs = sentMs + 500 * randomAt(2, k) ** 6 + randomAt(3, k);
  const outcome = k % 100;
  if (outcome === 7) summary.recordDrop(target, dueMs);
  else if (outcome === 17) summary.recordFailure(target, 'refused', dueMs, Number.NaN, endedMs);
  else if (outcome === 27) summary.recordFailure(target, 'timeout', dueMs, sentMs, sentMs + 900);
  else summary.recordAnswer(target, target === 2 ? 201 : outcome === 37 ? 500 : 200, dueMs, sentMs, endedMs);
}

describe('the numbers of parts', () => {
  const whole = createSummary();
  const parts = Array.from({ length: 4 }, () => createSummary());
  for (let k = 0; k < 10_000; k++) {
    feed(whole, k);
    feed(parts[k % 4] as Summary, k);
  }
  const expected = whole.toNumbers(20_000);
  const sum = sumNumbers(parts.map((part) => numbersSchema.parse(part.toNumbers(20_000))));

  it('add up to those of all samples: counts, statuses, failures, rate', () => {
    const { sent, unsent, answered, dropped, errors, unanswered, statuses, failures } = expected;
    expect(sent).toBeGreaterThan(9000);
    const counts = { sent, unsent, answered, dropped, errors, unanswered, statuses, failures };
    expect(sum).toMatchObject(counts);
    expect(sum.achievedPerSecond).toBeCloseTo(expected.achievedPerSecond, 6);
  });

  it('have exactly the percentiles of all samples', () => {
    const { latencyMs, serviceTimeMs, latenessMs } = expected;
    expect(sum).toMatchObject({ latencyMs, serviceTimeMs, latenessMs });
    expect(expected.latencyMs?.p99).toBeGreaterThan(100);
  });

  it('add up if responses of one part exceed the initial range of the histograms', () => {
    const numbers = [100, 9_000].map((tookMs) => {
      const part = createSummary();
      part.recordAnswer(0, 200, 0, 0, tookMs);
      return part.toNumbers(20_000);
    });
    const { timeline, latencyMs } = sumNumbers(numbers);
    const [slowest] = timeline.points.flatMap(({ latency }) => (latency ? [decodeHistogram(latency)] : []));
    expect(slowest?.totalCount).toBe(2);
    expect(latencyMs?.max).toBeCloseTo(9_000, -2);
  });

  it('add up by target and over time', () => {
    expect(sum.byTarget).toEqual(expected.byTarget);
    expect(sum.timeline.intervalSeconds).toBe(expected.timeline.intervalSeconds);
    const points = ({ timeline }: typeof sum) =>
      timeline.points.map(({ latency, serviceTime: _, ...counts }) => ({
        ...counts,
        p90: latency === null ? null : percentileMs(decodeHistogram(latency), 90),
      }));
    expect(points(sum)).toEqual(points(expected));
  });
});

describe('the numbers by target', () => {
  it('merge targets that are counted under the same series into one line', () => {
    const summary = createSummary();
    for (let k = 0; k < 300; k++) summary.recordAnswer(k % 3, k % 3 === 2 ? 201 : 200, 0, 0, 1 + (k % 3));
    const lines = summary.toNumbers(0).byTarget;
    expect(lines.map(({ name, series, answered }) => ({ name, series, answered }))).toEqual([
      { name: 'GET /a and 1 more', series: { route: 'a' }, answered: 200 },
      { name: 'POST /b', series: null, answered: 100 },
    ]);
    expect(Math.round(lines[1]?.serviceTimeMs?.p50 ?? 0)).toBe(3);
  });

  it('have one line for the remainder of very many', () => {
    const many = Array.from({ length: 5000 }, (_, n) => ({ method: 'GET', path: `/${n}` }));
    const summary = new Summary({ startMs: 0, plannedMs: undefined, targets: many });
    for (let n = 0; n < 5000; n++) summary.recordAnswer(n, 200, 0, 0, 1);
    const lines = summary.toNumbers(0).byTarget;
    expect(lines).toHaveLength(101);
    expect(lines.at(-1)).toMatchObject({ name: 'all others', answered: 4900 });
  });
});

describe('the timeline of a phase', () => {
  it('has intervals of a second, or of a tenth if it is short', () => {
    const short = createSummary(2000);
    short.recordAnswer(0, 200, 1500, 1510, 1650);
    const { intervalSeconds, points } = short.toNumbers(0).timeline;
    expect(intervalSeconds).toBe(0.1);
    expect(points.map(({ sent, answered }) => sent - answered)[16]).toBe(-1);
    expect(points.findIndex(({ latency }) => latency !== null)).toBe(15);
  });

  it('has at most 240 intervals for any duration, and loses no request', () => {
    const long = createSummary(undefined);
    for (let second = 0; second < 100_000; second += 10)
      long.recordAnswer(0, 200, second * 1000, second * 1000, second * 1000 + 5);
    const { intervalSeconds, points } = long.toNumbers(0).timeline;
    expect(points.length).toBeLessThanOrEqual(240);
    expect(points.reduce((total, { sent }) => total + sent, 0)).toBe(10_000);
    const samples = points.map(({ latency }) => (latency === null ? 0 : decodeHistogram(latency).totalCount));
    expect(samples.reduce((a, b) => a + b, 0)).toBe(10_000);
    expect(intervalSeconds).toBe(512);
  });
});

it('expected counts have one line per series, for any number of targets', () => {
  const series = { route: 'cart', method: 'GET' };
  const target = { method: 'GET', path: '/cart', series };
  const other = { ...target, method: 'HEAD', series: { ...series } };
  const own = [target, other, { method: 'GET', path: '/' }];
  const summary = new Summary({ startMs: 0, plannedMs: undefined, targets: own });
  summary.recordAnswer(0, 200, 0, 0, 1);
  summary.recordAnswer(1, 200, 0, 0, 1);
  summary.recordAnswer(1, 500, 0, 0, 1);
  summary.recordFailure(0, 'reset', 0, 0, 1);
  summary.recordFailure(2, 'refused', 0, Number.NaN, 1);
  expect(sumExpectedCounts([summary.bySeries()])).toEqual([
    { ...series, path: '/cart', answered: { 200: 2, 500: 1 }, unknown: 1, notSent: 0 },
    { route: null, method: 'GET', path: '/', answered: {}, unknown: 0, notSent: 1 },
  ]);
});
