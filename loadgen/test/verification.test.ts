import { describe, expect, it } from '@jest/globals';
import { describeVerification } from '../src/verify/description.ts';
import type { ExpectedCounts } from '../src/verify/expected-counts.ts';
import type { Snapshot } from '../src/verify/process.ts';
import { standingOf, verify } from '../src/verify/verification.ts';
import {
  CART_200,
  type Counts,
  cart,
  GAUGE,
  GET_CART,
  type Processes,
  processOf,
  served,
  snapshotOf,
  textRow,
} from './snapshots.ts';

const CART_499 = 'http_request_duration_seconds_count{path="cart",method="get",code="499"}';
const POST_CART = 'http_requests_total{path="cart",method="post"}';
const MISSING = 'http_request_duration_seconds_count{path="unmatched",method="get",code="404"}';
const ERRORS_404 = 'http_errors_total{code="404"}';
const ERRORS_499 = 'http_errors_total{code="499"}';

/** What comes of one process that has counted so much, from nothing. */
const verifyOne = (counts: Counts, sent: ExpectedCounts = [cart()], before: Counts = {}) =>
  verify(snapshotOf({ a: before }), snapshotOf({ a: counts }), sent);

/** The verdict and the series that differ. */
function differing(...args: Parameters<typeof verifyOne>) {
  const { verdict, rows } = verifyOne(...args);
  const wrong = rows.map(textRow).filter(({ difference }) => difference !== 0);
  return { verdict, wrong: Object.fromEntries(wrong.map(({ series, difference }) => [series, difference])) };
}

describe('the verification', () => {
  it('holds when every series grew by what was sent', () => {
    const sent = [cart(), cart({ series: { path: 'unmatched', method: 'get' }, answered: { 404: 2 } })];
    const before = served(10, { [ERRORS_404]: 3, [MISSING]: 3 });
    const verification = verifyOne(served(15, { [ERRORS_404]: 5, [MISSING]: 5 }), sent, before);
    expect(verification).toMatchObject({ verdict: 'verified', answered: 7, unknown: 0 });
    expect(verification.rows.map(textRow)).toEqual([
      { series: GET_CART, atLeast: 5, atMost: 5, counted: 5, difference: 0 },
      { series: ERRORS_404, atLeast: 2, atMost: 2, counted: 2, difference: 0 },
      { series: CART_200, atLeast: 5, atMost: 5, counted: 5, difference: 0 },
      { series: MISSING, atLeast: 2, atMost: 2, counted: 2, difference: 0 },
      { series: GAUGE, atLeast: 0, atMost: 0, counted: 0, difference: 0 },
    ]);
  });

  it.each<[string, Counts, Counts, Counts]>([
    ['a request of another client', {}, served(5, { [POST_CART]: 1 }), { [POST_CART]: 1 }],
    ['a series that was counted twice', {}, served(5, { [GET_CART]: 6 }), { [GET_CART]: 1 }],
    ['a series that was not counted', {}, { [GET_CART]: 5 }, { [CART_200]: -5 }],
    ['a gauge above 0, whatever it was', { [GAUGE]: 2 }, served(5, { [GAUGE]: 1 }), { [GAUGE]: 1 }],
  ])('fails and names %s', (_, before, after, wrong) => {
    expect(differing(after, [cart()], before)).toEqual({ verdict: 'failed', wrong });
  });

  it('adds up the replicas, one that appeared in between from 0', () => {
    const after = snapshotOf({ a: served(12), b: served(3) });
    expect(verify(snapshotOf({ a: served(10) }), after, [cart()]).verdict).toBe('verified');
  });

  it('is unverifiable when a replica was restarted or is gone, and says which', () => {
    const after = snapshotOf({ a: {}, b: { start: 2 } });
    expect(verify(snapshotOf({ a: {}, b: {}, c: {} }), after, [cart()])).toMatchObject({
      verdict: 'unverifiable',
      rows: [],
      obstacles: [
        'b was restarted in between, so its counters began again at 0',
        'c has terminated, and what it had counted is lost',
      ],
    });
  });

  it('is unverifiable when a counter fell, also where another one makes up for it', () => {
    const before = snapshotOf({ a: served(10), b: served(10) });
    expect(verify(before, snapshotOf({ a: served(7), b: served(18) }), [cart()])).toMatchObject({
      verdict: 'unverifiable',
      obstacles: [
        `${GET_CART} of a is 3 less than before, without a restart`,
        `${CART_200} of a is 3 less than before, without a restart`,
      ],
    });
  });

  it('is unverifiable with a value that is not a count, and names it', () => {
    const values = [{ metric: 'http_errors_total', labels: { code: '500' }, value: null }];
    const odd = { askedAtSeconds: 0, instances: [{ ...processOf('a', {}), values }] };
    expect(verify(snapshotOf({ a: {} }), odd, [cart()])).toMatchObject({
      verdict: 'unverifiable',
      obstacles: ['http_errors_total{code="500"} of a is not a count in Prometheus'],
    });
  });
});

describe('processes that have terminated', () => {
  const before = snapshotOf({ a: served(10), b: {} });
  const after = (present: Processes, terminated: Processes, isDrained = false, sent = [cart()]) => {
    const ended = snapshotOf(terminated).instances.map((process) => ({ ...process, isDrained }));
    return verify(before, { ...snapshotOf(present), terminated: ended }, sent);
  };

  it('count in full when they were drained, also where another has their place, or they appeared in between', () => {
    const terminated = { a: served(11), b: served(1), c: served(1) };
    const verified = { verdict: 'verified', answered: 5, obstacles: [] };
    expect(after({ a: { start: 2, ...served(2) } }, terminated, true)).toMatchObject(verified);
  });

  it('are named with the most that they have lost when they were not', () => {
    const busy = served(12, { [GAUGE]: 1 });
    const { verdict, obstacles, rows } = after({ b: served(1) }, { a: busy }, false, [cart({ unknown: 1 })]);
    expect([verdict, obstacles]).toEqual([
      'unverifiable',
      ['a ended without being drained: at most 3 requests that it answered after its last scrape are lost'],
    ]);
    const row = { series: GET_CART, atLeast: 5, atMost: 6, counted: 3, difference: -2 };
    expect(rows.map(textRow)).toContainEqual(row);
  });

  it.each([
    ['may bring what is missing with a later scrape of others', 1, 12, 'unverifiable', 'missing'],
    ['are no obstacle when nothing is missing', 3, 12, 'verified', 'equal'],
    ['do not excuse a request too many', 3, 13, 'failed', 'wrong'],
  ])('%s', (_, present, terminated, verdict, standing) => {
    const verification = after({ b: served(present) }, { a: served(terminated) });
    expect([verification.verdict, standingOf(verification)]).toEqual([verdict, standing]);
  });

  it('are an obstacle when nothing is known of them', () => {
    const obstacles = ['a has terminated, and what it had counted is lost'];
    expect(after({ b: served(3) }, {}, true)).toMatchObject({ verdict: 'unverifiable', obstacles });
  });
});

describe('a later scrape', () => {
  it.each([
    ['may bring what is missing', served(3), 'missing'],
    ['may bring the gauge back to 0', served(5, { [GAUGE]: 2 }), 'missing'],
    ['does not take away what is too much', served(3, { [GET_CART]: 6 }), 'wrong'],
    ['has to find equal what is equal', served(5), 'equal'],
  ])('%s', (_, counts, expected) => {
    expect(standingOf(verifyOne(counts))).toBe(expected);
  });

  it('does not bring back a process', () => {
    expect(standingOf(verify(snapshotOf({ a: {} }), snapshotOf({}), [cart()]))).toBe('wrong');
  });
});

describe('requests with an unknown outcome', () => {
  const aborted = { [GET_CART]: 7, [CART_499]: 2, [ERRORS_499]: 2 };
  it.each<[string, Counts, string, Counts]>([
    ['may not have been counted', served(5), 'inconclusive', {}],
    ['may have been counted as aborted', served(5, aborted), 'inconclusive', {}],
    ['may have been counted as answered', served(7), 'inconclusive', {}],
    [
      'cover no more than their number',
      served(5, { [GET_CART]: 8, [ERRORS_499]: 3 }),
      'failed',
      { [GET_CART]: 1, [ERRORS_499]: 1 },
    ],
    ['cover no other series', served(5, { [POST_CART]: 1 }), 'failed', { [POST_CART]: 1 }],
  ])('%s', (_, counts, verdict, wrong) => {
    expect(differing(counts, [cart({ unknown: 2 })])).toEqual({ verdict, wrong });
  });
});

describe('targets that declare no series', () => {
  const undeclared = (answered: Record<string, number>, unknown = 0) =>
    cart({ series: null, answered, unknown });
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

describe('a metric that is not there', () => {
  const NO_ERRORS = 'Prometheus has no http_errors_total';
  const notes = ['Prometheus has no http_requests_total', NO_ERRORS];

  it('is named, also where it was there before', () => {
    expect(verifyOne({ [CART_200]: 5 })).toMatchObject({ verdict: 'failed', notes });
    expect(verifyOne(served(5))).toMatchObject({ verdict: 'verified', notes: [NO_ERRORS] });
    const obstacles = [`${GET_CART} of a is 7 less than before, without a restart`];
    const fallen = { verdict: 'unverifiable', obstacles, notes };
    expect(verifyOne({ [CART_200]: 12 }, [cart()], served(7))).toMatchObject(fallen);
  });

  it('leaves the verification inconclusive when it is the gauge, of one process already', () => {
    const gaugeless = { ...processOf('b', {}), values: [] };
    const instances = [processOf('a', served(5, { [ERRORS_404]: 0 })), gaugeless];
    expect(verify(snapshotOf({}), { askedAtSeconds: 0, instances }, [cart()])).toMatchObject({
      verdict: 'inconclusive',
      notes: [`Prometheus has no ${GAUGE} of b: requests may still be in progress there`],
    });
  });
});

describe('a process', () => {
  const pods = (x: number, y?: number): Snapshot => ({
    askedAtSeconds: 0,
    instances: [
      processOf('api', served(x), { pod: 'x' }),
      ...(y === undefined ? [] : [processOf('api', { start: 2, ...served(y) }, { pod: 'y' })]),
    ],
  });

  it('is known by all labels of its target, not by its instance alone', () => {
    expect(verify(pods(100, 200), pods(103, 202), [cart()]).verdict).toBe('verified');
    expect(verify(pods(100, 200), pods(105), [cart()]).obstacles).toEqual([
      'api {pod="y"} has terminated, and what it had counted is lost',
    ]);
  });

  it.each([
    [0.02, 'verified'],
    [-0.02, 'verified'],
    [1, 'unverifiable'],
  ])('whose start time is %s s later has the verdict %s', (later, verdict) => {
    const before = served(10, { start: 1000 });
    expect(verifyOne(served(15, { start: 1000 + later }), [cart()], before).verdict).toBe(verdict);
  });
});
