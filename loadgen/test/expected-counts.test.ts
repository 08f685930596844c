import { expect, it } from '@jest/globals';
import { ExpectedCountsKeeper, sumExpectedCounts, totalsOf } from '../src/verify/expected-counts.ts';

const series = { path: 'cart', method: 'get' };

it('keeps one line per series, whatever the target', () => {
  const keeper = new ExpectedCountsKeeper([{ series }, { series: { ...series } }, {}]);
  keeper.answered(0, 200);
  keeper.answered(1, 200);
  keeper.answered(1, 500);
  keeper.unanswered(0, true);
  keeper.unanswered(2, false);
  expect(keeper.toExpectedCounts()).toEqual([
    { series, answered: { 200: 2, 500: 1 }, unknown: 1, notSent: 0 },
    { series: null, answered: {}, unknown: 0, notSent: 1 },
  ]);
});

it('adds up expectedCounts line by line and leaves them as they are', () => {
  const one = [{ series, answered: { 200: 2 }, unknown: 1, notSent: 0 }];
  const two = [
    { series, answered: { 200: 1, 404: 4 }, unknown: 0, notSent: 2 },
    { series: null, answered: { 200: 9 }, unknown: 0, notSent: 0 },
  ];
  expect(sumExpectedCounts([one, two])).toEqual([
    { series, answered: { 200: 3, 404: 4 }, unknown: 1, notSent: 2 },
    { series: null, answered: { 200: 9 }, unknown: 0, notSent: 0 },
  ]);
  expect(one).toEqual([{ series, answered: { 200: 2 }, unknown: 1, notSent: 0 }]);
  expect(totalsOf(sumExpectedCounts([one, two]))).toEqual({ answered: 16, unknown: 1 });
});
