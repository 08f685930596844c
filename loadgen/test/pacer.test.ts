import { describe, expect, it } from '@jest/globals';
import { constantPacer, stagedPacer } from '../src/load/pacer.ts';

const ramp = (durationMs: number, fromPerSecond: number, toPerSecond: number) => ({
  durationMs,
  fromPerSecond,
  toPerSecond,
});
const steady = (durationMs: number, perSecond: number) => ramp(durationMs, perSecond, perSecond);

describe('a staged pacer', () => {
  it.each([
    ['a steady stage', [steady(10_000, 2000)], 20_000, 10_000],
    ['a duration that is no whole number of intervals', [steady(950, 10)], 10, 950],
    ['a sum that binary fractions miss', [steady(100, 30), steady(200, 15)], 6, 300],
    ['a ramp', [ramp(10_000, 0, 100)], 500, 10_000],
    ['a silent stage in the middle', [steady(1000, 5), steady(1000, 0), steady(1000, 5)], 10, 3000],
  ])('counts the requests of %s', (_, stages, count, durationMs) => {
    const pacer = stagedPacer(stages);
    expect([pacer.count, pacer.durationMs]).toEqual([count, durationMs]);
  });

  it('spaces a steady stage evenly, the first request at 0', () => {
    const pacer = stagedPacer([steady(1000, 4)]);
    expect([0, 1, 2, 3].map(pacer.offsetMs)).toEqual([0, 250, 500, 750]);
  });

  it('sends request n of a ramp when the area under the rate reaches n', () => {
    const pacer = stagedPacer([ramp(10_000, 0, 100)]);
    // rate(t) = 10 t, so the area is 5 t^2 and request n is sent at sqrt(n / 5) seconds.
    for (const n of [0, 5, 20, 125, 499]) expect(pacer.offsetMs(n)).toBeCloseTo(1000 * Math.sqrt(n / 5), 6);
  });

  it('mirrors a falling ramp', () => {
    const pacer = stagedPacer([ramp(10_000, 100, 0)]);
    expect(pacer.offsetMs(375)).toBeCloseTo(5000, 6);
    expect(pacer.offsetMs(499)).toBeLessThan(10_000);
  });

  it('sends nothing in a stage with rate 0, and continues at its end', () => {
    const pacer = stagedPacer([steady(1000, 5), steady(1000, 0), steady(1000, 5)]);
    expect([4, 5, 6].map(pacer.offsetMs)).toEqual([800, 2000, 2200]);
  });

  it('never goes back in time', () => {
    const pacer = stagedPacer([steady(500, 7), ramp(1300, 7, 311), steady(40, 311), ramp(700, 311, 0)]);
    const offsets = Array.from({ length: pacer.count }, (_, n) => pacer.offsetMs(n));
    expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
    expect(offsets.at(-1)).toBeLessThanOrEqual(pacer.durationMs);
  });

  it('returns the planned rate at any time, and 0 after the end', () => {
    const pacer = stagedPacer([steady(1000, 20), ramp(2000, 20, 120)]);
    expect([0, 999, 2000, 3000, 3001].map(pacer.ratePerSecondAt)).toEqual([20, 20, 70, 120, 0]);
  });
});

it('paces an exact count at one rate', () => {
  const pacer = constantPacer(3, 50);
  expect([pacer.count, pacer.durationMs, pacer.offsetMs(2)]).toEqual([3, 60, 40]);
});
