import { describe, expect, it } from '@jest/globals';
import type { Snapshot } from '../src/verify/process.ts';
import { standingOf as standingBy, type Verification } from '../src/verify/verification.ts';
import {
  CART_200,
  type Counts,
  cart,
  ERRORS_404,
  GAUGE,
  GET_CART,
  MISSING,
  OURS,
  POST_CART,
  type Processes,
  processOf,
  served,
  snapshotOf,
  textRow,
  verify,
  verifyOne,
} from './snapshots.ts';

const standingOf = (verification: Verification) => standingBy(verification, OURS);
const CART_499 = 'http_request_duration_seconds_count{path="cart",method="get",code="499"}';
const ERRORS_499 = 'http_errors_total{code="499"}';

/** The verdict, and the series that differ. */
function differing(...args: Parameters<typeof verifyOne>) {
  const { verdict, rows } = verifyOne(...args);
  const wrong = rows.map(textRow).filter(({ difference }) => difference !== 0);
  return { verdict, wrong: Object.fromEntries(wrong.map(({ series, difference }) => [series, difference])) };
}

describe('the verification', () => {
  it('succeeds if every series increased by the number of requests', () => {
    const sent = [cart(), cart({ route: 'unmatched', answered: { 404: 2 } })];
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

  it('adds up replicas, and counts one that appeared in between from 0', () => {
    const after = snapshotOf({ a: served(12), b: served(3) });
    expect(verify(snapshotOf({ a: served(10) }), after, [cart()]).verdict).toBe('verified');
  });

  it.each<[string, Processes, Processes, string[]]>([
    [
      'a replica was restarted, and another one has terminated',
      { a: {}, b: {}, c: {} },
      { a: {}, b: { start: 2 } },
      ['b restarted in between, so its counters started again at 0', 'c terminated, and its counts are lost'],
    ],
    [
      'a counter decreased, even if another one hides it',
      { a: served(10), b: served(10) },
      { a: served(7), b: served(18) },
      [GET_CART, CART_200].map((series) => `${series} of a is 3 less than before, without a restart`),
    ],
  ])('is unverifiable if %s, and reports which', (_, before, after, obstacles) => {
    const unverifiable = { verdict: 'unverifiable', obstacles };
    expect(verify(snapshotOf(before), snapshotOf(after), [cart()])).toMatchObject(unverifiable);
  });

  it('is unverifiable if a value is not a count, and names it', () => {
    const values = [{ metric: 'http_errors_total', labels: { code: '500' }, value: null }];
    const odd = { askedAtSeconds: 0, instances: [{ ...processOf('a', {}), values }] };
    const obstacles = ['http_errors_total{code="500"} of a is not a valid count in Prometheus'];
    const unverifiable = { verdict: 'unverifiable', obstacles, rows: [] };
    expect(verify(snapshotOf({ a: {} }), odd, [cart()])).toMatchObject(unverifiable);
  });
});

describe('processes that have terminated', () => {
  const before = snapshotOf({ a: served(10), b: {} });
  const after = (present: Processes, terminated: Processes, isDrained = false, sent = [cart()]) => {
    const ended = snapshotOf(terminated).instances.map((process) => ({ ...process, isDrained }));
    return verify(before, { ...snapshotOf(present), terminated: ended }, sent);
  };

  it('count in full if they were drained, even if they were replaced, or appeared in between', () => {
    const terminated = { a: served(11), b: served(1), c: served(1) };
    const verified = { verdict: 'verified', answered: 5, obstacles: [] };
    expect(after({ a: { start: 2, ...served(2) } }, terminated, true)).toMatchObject(verified);
  });

  it('are reported with the most that they can have lost if they were not drained', () => {
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
    ['may be complemented by a later scrape of the others', 1, 12, 'unverifiable', 'missing'],
    ['are no obstacle when nothing is missing', 3, 12, 'verified', 'equal'],
    ['do not excuse a surplus', 3, 13, 'failed', 'wrong'],
  ])('%s', (_, present, terminated, verdict, standing) => {
    const verification = after({ b: served(present) }, { a: served(terminated) });
    expect([verification.verdict, standingOf(verification)]).toEqual([verdict, standing]);
  });

  it('are an obstacle if their values are unknown', () => {
    const obstacles = ['a terminated, and its counts are lost'];
    expect(after({ b: served(3) }, {}, true)).toMatchObject({ verdict: 'unverifiable', obstacles });
  });
});

describe('a later scrape', () => {
  it.each([
    ['may add missing counts', served(3), 'missing'],
    ['may bring the gauge back to 0', served(5, { [GAUGE]: 2 }), 'missing'],
    ['does not reduce a surplus', served(3, { [GET_CART]: 6 }), 'wrong'],
    ['must confirm equal counts', served(5), 'equal'],
  ])('%s', (_, counts, expected) => {
    expect(standingOf(verifyOne(counts))).toBe(expected);
  });

  it('does not restore a process', () => {
    expect(standingOf(verify(snapshotOf({ a: {} }), snapshotOf({}), [cart()]))).toBe('wrong');
  });
});

describe('requests with an unknown outcome', () => {
  const aborted = { [GET_CART]: 7, [CART_499]: 2, [ERRORS_499]: 2 };
  const more = { [GET_CART]: 8, [ERRORS_499]: 3 };
  it.each<[string, Counts, string, Counts]>([
    ['may not have been counted', served(5), 'inconclusive', {}],
    ['may have been counted as aborted', served(5, aborted), 'inconclusive', {}],
    ['may have been counted as answered', served(7), 'inconclusive', {}],
    ['cover no more than their number', served(5, more), 'failed', { [GET_CART]: 1, [ERRORS_499]: 1 }],
    ['cover no other series', served(5, { [POST_CART]: 1 }), 'failed', { [POST_CART]: 1 }],
  ])('%s', (_, counts, verdict, wrong) => {
    expect(differing(counts, [cart({ unknown: 2 })])).toEqual({ verdict, wrong });
  });
});

describe('a missing metric', () => {
  const NO_ERRORS = 'Prometheus has no http_errors_total';
  const NO_REQUESTS = 'Prometheus has no http_requests_total';
  const NO_DURATIONS = 'Prometheus has no http_request_duration_seconds_count';

  it.each([
    [served(5), {}, 'verified', [NO_ERRORS]],
    [{ [CART_200]: 5 }, {}, 'failed', [NO_REQUESTS, NO_ERRORS]],
    [{ [GET_CART]: 5 }, {}, 'failed', [NO_ERRORS, NO_DURATIONS]],
    [{ [CART_200]: 12 }, served(7), 'unverifiable', [NO_REQUESTS, NO_ERRORS]],
  ])('is reported: %j after %j is %s', (counts, before, verdict, notes) => {
    expect(verifyOne(counts, [cart()], before)).toMatchObject({ verdict, notes });
  });

  it('makes the verification inconclusive if it is the gauge of even one process', () => {
    const gaugeless = { ...processOf('b', {}), values: [] };
    const instances = [processOf('a', served(5, { [ERRORS_404]: 0 })), gaugeless];
    expect(verify(snapshotOf({}), { askedAtSeconds: 0, instances }, [cart()])).toMatchObject({
      verdict: 'inconclusive',
      notes: [`Prometheus has no ${GAUGE} of b: requests may still be in progress there`],
    });
  });
});

describe('a process', () => {
  /** Two pods that share their instance. */
  const pods = (x: number, y: number): Snapshot => ({
    askedAtSeconds: 0,
    instances: [
      processOf('api', served(x), { pod: 'x' }),
      processOf('api', served(y, { start: 2 }), { pod: 'y' }),
    ],
  });

  it('is identified by all labels of its target, not only by its instance', () => {
    const [before, after] = [pods(100, 200), pods(103, 202)];
    expect(verify(before, after, [cart()]).verdict).toBe('verified');
    const rest = { ...after, instances: after.instances.slice(0, 1) };
    const obstacles = ['api {pod="y"} terminated, and its counts are lost'];
    expect(verify(before, rest, [cart()])).toMatchObject({ obstacles });
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
