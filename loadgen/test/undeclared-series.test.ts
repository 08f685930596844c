import { describe, expect, it } from '@jest/globals';
import { describeVerification } from '../src/verify/description.ts';
import type { ExpectedCounts } from '../src/verify/expected-counts.ts';
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

describe('targets that declare no series', () => {
  const undeclared = (answered: Record<string, number>, unknown = 0) =>
    cart({ route: null, answered, unknown });
  /** The verdict, and of the counter and of the histogram: at least, at most, counted, difference. */
  function pooled(counts: Counts, sent: ExpectedCounts) {
    const { verdict, rows } = verifyOne(counts, sent);
    const own = rows.filter(({ labels }) => labels === null);
    return [verdict, ...own.map((row) => [row.atLeast, row.atMost, row.counted, row.difference].join(' '))];
  }

  it('are verified in the sum, and the sentence says so', () => {
    const counts = { [GET_CART]: 5, [POST_CART]: 2, [CART_200]: 7, [MISSING]: 1, [ERRORS_404]: 1 };
    const sent = [cart(), undeclared({ 200: 2, 404: 1 })];
    expect(pooled(counts, sent)).toEqual(['verified', '2 2 2 0', '3 3 3 0']);
    expect(describeVerification(verifyOne(counts, sent))).toEqual({
      headline: 'verified: 8 requests, counted 8 times in all',
      details: ['of 3 only the sum was compared: their targets declare no series'],
    });
  });

  const unmatched = { [MISSING]: 2, [ERRORS_404]: 2 };
  it.each<[string, Record<string, number>, Counts, ...string[]]>([
    ['half were counted', { 200: 50 }, served(50, { [GET_CART]: 25 }), '50 50 25 -25', '50 50 50 0'],
    ['the counter is missing', { 200: 50 }, { [CART_200]: 50 }, '50 50 0 -50', '50 50 50 0'],
    ['the histogram is missing', { 200: 50 }, { [GET_CART]: 50 }, '0 50 50 0', '50 50 0 -50'],
    ['an unmatched one is in the counter', { 404: 2 }, { [GET_CART]: 1, ...unmatched }, '0 0 1 1', '2 2 2 0'],
    ['one was counted twice', { 200: 2, 404: 1 }, served(4, { [ERRORS_404]: 1 }), '3 3 4 1', '3 3 4 1'],
  ])('fail where %s', (_, answered, counts, ...rows) => {
    expect(pooled(counts, [undeclared(answered)])).toEqual(['failed', ...rows]);
  });

  it('are verified where no route handled any of them', () => {
    const rows = pooled({ ...unmatched, [GET_CART]: 0 }, [undeclared({ 404: 2 })]);
    expect(rows).toEqual(['verified', '0 0 0 0', '2 2 2 0']);
  });

  it('leave a range where requests have an unknown outcome, their own or that of others', () => {
    const own = pooled(served(3), [undeclared({ 200: 3 }, 1)]);
    expect(own).toEqual(['inconclusive', '3 4 3 0', '3 4 3 0']);
    const others = pooled(served(8), [cart({ unknown: 2 }), undeclared({ 200: 3 })]);
    expect([others[0], others[2]]).toEqual(['inconclusive', '1 3 1 0']);
  });
});
