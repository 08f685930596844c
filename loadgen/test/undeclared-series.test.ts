import { describe, expect, it } from '@jest/globals';
import type { ExpectedCounts } from '../src/common/expected-counts.ts';
import { describeVerification } from '../src/verify/description.ts';
import {
  CART_200,
  type Counts,
  cart,
  ERRORS_404,
  GET_CART,
  MISSING,
  POST_CART,
  served,
  verifyOne,
} from './snapshots.ts';

const OTHER = 'http_requests_total{path="other",method="get"}';

describe('targets that declare no route', () => {
  const undeclared = (answered: Record<string, number>, unknown = 0) =>
    cart({ route: null, answered, unknown });
  /** The verdict, and for the counter and the histogram, by code: at least, at most, counted, difference. */
  function summed(counts: Counts, sent: ExpectedCounts) {
    const { verdict, rows } = verifyOne(counts, sent);
    const own = rows.filter(({ metric }) => /requests_total|seconds/.test(metric));
    return [
      verdict,
      ...own.map(({ labels, ...row }) =>
        [labels.code ?? 'all', row.atLeast, row.atMost, row.counted, row.difference].join(' '),
      ),
    ];
  }

  it('are verified as a sum by method and code, and the text states that', () => {
    const counts = { [GET_CART]: 5, [OTHER]: 2, [CART_200]: 7, [MISSING]: 1, [ERRORS_404]: 1 };
    const sent = [cart(), undeclared({ 200: 2, 404: 1 })];
    expect(summed(counts, sent)).toEqual(['verified', 'all 7 7 7 0', '200 7 7 7 0', '404 1 1 1 0']);
    expect(describeVerification(verifyOne(counts, sent))).toEqual({
      headline: 'verified: 8 requests, counted 8 times in total',
      details: ['routes were not compared: the targets of 3 requests declare none (series, --route)'],
    });
  });

  const unmatched = { [MISSING]: 2, [ERRORS_404]: 2 };
  const notFound = served(3, { [ERRORS_404]: 1 });
  const posted = { [GET_CART]: 2, [POST_CART]: 1, [CART_200]: 3 };
  it.each<[string, Record<string, number>, Counts, ...string[]]>([
    ['half were counted', { 200: 50 }, served(50, { [GET_CART]: 25 }), 'all 50 50 25 -25', '200 50 50 50 0'],
    ['the counter is missing', { 200: 50 }, { [CART_200]: 50 }, 'all 50 50 0 -50', '200 50 50 50 0'],
    ['the histogram is missing', { 200: 50 }, { [GET_CART]: 50 }, 'all 50 50 50 0', '200 50 50 0 -50'],
    ['an unmatched one is routed', { 404: 2 }, { [GET_CART]: 1, ...unmatched }, 'all 0 0 1 1', '404 2 2 2 0'],
    ['one has another code', { 200: 2, 404: 1 }, notFound, 'all 3 3 3 0', '200 2 2 3 1', '404 1 1 0 -1'],
    ['one has another method', { 200: 3 }, posted, 'all 3 3 2 -1', 'all 0 0 1 1', '200 3 3 3 0'],
  ])('fail if %s', (_, answered, counts, ...rows) => {
    expect(summed(counts, [undeclared(answered)])).toEqual(['failed', ...rows]);
  });

  it('are verified if no route handled any of them', () => {
    const rows = summed({ ...unmatched, [GET_CART]: 0 }, [undeclared({ 404: 2 })]);
    expect(rows).toEqual(['verified', '404 2 2 2 0']);
  });

  it('have a range if requests have an unknown outcome, their own or others', () => {
    const own = summed(served(3), [undeclared({ 200: 3 }, 1)]);
    expect(own).toEqual(['inconclusive', 'all 3 4 3 0', '200 3 4 3 0']);
    const others = summed(served(8), [cart({ unknown: 2 }), undeclared({ 200: 3 })]);
    expect(others).toEqual(['inconclusive', 'all 8 10 8 0', '200 8 10 8 0']);
  });
});
