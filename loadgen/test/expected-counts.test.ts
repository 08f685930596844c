import { expect, it } from '@jest/globals';
import { Summary } from '../src/load/summary.ts';
import { sumExpectedCounts } from '../src/verify/expected-counts.ts';

const series = { path: 'cart', method: 'get' };

it('are one line per series, whatever the target', () => {
  const target = { method: 'GET', path: '/cart', series };
  const targets = [
    target,
    { ...target, method: 'HEAD', series: { ...series } },
    { method: 'GET', path: '/' },
  ];
  const summary = new Summary({ startMs: 0, plannedMs: undefined, targets });
  summary.recordAnswer(0, 200, 0, 0, 1);
  summary.recordAnswer(1, 200, 0, 0, 1);
  summary.recordAnswer(1, 500, 0, 0, 1);
  summary.recordFailure(0, 'reset', 0, 0, 1);
  summary.recordFailure(2, 'refused', 0, Number.NaN, 1);
  expect(sumExpectedCounts([summary.bySeries()])).toEqual([
    { series, answered: { 200: 2, 500: 1 }, unknown: 1, notSent: 0 },
    { series: null, answered: {}, unknown: 0, notSent: 1 },
  ]);
});
