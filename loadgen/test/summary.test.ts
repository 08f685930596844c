import { describe, expect, it } from '@jest/globals';
import { Summary } from '../src/load/summary.ts';

function createSummary(startMs = 0): Summary {
  const targets = [
    { method: 'GET', path: '/' },
    { method: 'GET', path: '/gone', expect: 404 },
  ];
  return new Summary({ startMs, plannedMs: undefined, targets });
}

describe('the summary', () => {
  it('measures latency from the intended start, and service time from sending', () => {
    const summary = createSummary(1000);
    summary.recordAnswer(0, 200, 1000, 1400, 1500);
    const { latencyMs, serviceTimeMs, latenessMs } = summary.toNumbers(0);
    expect([latencyMs?.max, serviceTimeMs?.max, latenessMs?.max].map((ms) => Math.round(ms ?? 0))).toEqual([
      500, 100, 400,
    ]);
  });

  it('returns percentiles to three digits', () => {
    const summary = createSummary();
    for (let n = 1; n <= 10_000; n++) summary.recordAnswer(0, 200, 0, 0, n / 10);
    const { latencyMs } = summary.toNumbers(0);
    const expected = { mean: 500, p50: 500, p90: 900, p95: 950, p99: 990, 'p99.9': 999, max: 1000 };
    for (const [name, value] of Object.entries(expected)) {
      const measured = latencyMs?.[name as keyof typeof expected] ?? 0;
      expect(Math.abs(measured - value) / value).toBeLessThan(0.0011);
    }
  });

  it('has no percentile above the highest value', () => {
    const summary = createSummary();
    summary.recordAnswer(0, 200, 0, 0, 16.605);
    const { latencyMs } = summary.toNumbers(0);
    expect(latencyMs?.['p99.9']).toBe(latencyMs?.max);
  });

  it('distinguishes responses, unexpected responses and failures', () => {
    const summary = createSummary();
    summary.recordAnswer(0, 200, 0, 0, 1);
    summary.recordAnswer(1, 404, 0, 0, 1);
    summary.recordAnswer(0, 500, 0, 0, 1);
    summary.recordFailure(0, 'reset', 0, 0, 1);
    summary.recordFailure(0, 'refused', 0, Number.NaN, 1);
    summary.recordDrop(0, 0);
    expect(summary.toNumbers(1000)).toMatchObject({
      ...{ sent: 4, answered: 3, errors: 3, unanswered: 2, unsent: 1, dropped: 1, achievedPerSecond: 4 },
      ...{ statuses: { 200: 1, 404: 1, 500: 1 }, failures: { reset: 1, refused: 1 } },
    });
    expect(summary.live()).toMatchObject({ sent: 4, errors: 3, dropped: 1 });
  });

  it('counts a timeout as a wait of that length', () => {
    const summary = createSummary();
    summary.recordFailure(0, 'timeout', 0, 10, 2000);
    expect(Math.round(summary.toNumbers(0).latencyMs?.max ?? 0)).toBeCloseTo(2000, -1);
  });

  it('has no distribution without samples', () => {
    const phase = createSummary().toNumbers(1000);
    expect(phase).toMatchObject({ latencyMs: null, serviceTimeMs: null, achievedPerSecond: 0 });
  });

  it('does not report a higher rate for a schedule whose last requests were late', () => {
    const summary = createSummary();
    for (const sentMs of [0, 500, 4000]) summary.recordAnswer(0, 200, sentMs, sentMs, sentMs + 1);
    expect(summary.toNumbers(1500).achievedPerSecond).toBe(0.75);
  });
});
