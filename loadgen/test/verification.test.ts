import { describe, expect, it } from '@jest/globals';
import type { ExpectedCount, ExpectedCounts } from '../src/verify/expected-counts.ts';
import type { Snapshot } from '../src/verify/process.ts';
import { formatVerified, standingOf, verify } from '../src/verify/verification.ts';
import { textRow, valuesOf } from './series-text.ts';

const GET_CART = 'http_requests_total{path="cart",method="get"}';
const CART_200 = 'http_request_duration_seconds_count{path="cart",method="get",code="200"}';
const CART_499 = 'http_request_duration_seconds_count{path="cart",method="get",code="499"}';
const POST_CART = 'http_requests_total{path="cart",method="post"}';
const MISSING = 'http_request_duration_seconds_count{path="unmatched",method="get",code="404"}';
const ERRORS_404 = 'http_errors_total{code="404"}';
const ERRORS_499 = 'http_errors_total{code="499"}';

type Instances = Record<string, { start?: number; values: Record<string, number> }>;

function instancesOf(instances: Instances): Snapshot['instances'] {
  return Object.entries(instances).map(([instance, { start = 1, values }]) => ({
    labels: { job: 'api', instance },
    startTimeSeconds: start,
    scrapedAtSeconds: 0,
    values: valuesOf({ inprogress_requests: 0, ...values }),
  }));
}

function snapshot(instances: Instances): Snapshot {
  return { askedAtSeconds: 0, instances: instancesOf(instances) };
}

/** With processes that have ended since. */
function readingWith(instances: Instances, terminated: Instances, isDrained: boolean): Snapshot {
  return {
    ...snapshot(instances),
    terminated: instancesOf(terminated).map((process) => ({ ...process, isDrained })),
  };
}

const cart = (overrides: Partial<ExpectedCount> = {}): ExpectedCount => ({
  series: { path: 'cart', method: 'get' },
  answered: { 200: 5 },
  unknown: 0,
  notSent: 0,
  ...overrides,
});
const missing = (count: number): ExpectedCount => ({
  series: { path: 'unmatched', method: 'get' },
  answered: { 404: count },
  unknown: 0,
  notSent: 0,
});
const differing = (before: Instances, after: Instances, expectedCounts: ExpectedCounts) => {
  const { verdict, rows } = verify(snapshot(before), snapshot(after), expectedCounts);
  const wrong = rows.map(textRow).filter(({ difference }) => difference !== 0);
  return { verdict, wrong: Object.fromEntries(wrong.map(({ series, difference }) => [series, difference])) };
};

describe('the verification', () => {
  it('holds when every series grew by what was sent', () => {
    const before = { a: { values: { [GET_CART]: 10, [CART_200]: 10, [ERRORS_404]: 3, [MISSING]: 3 } } };
    const after = { a: { values: { [GET_CART]: 15, [CART_200]: 15, [ERRORS_404]: 5, [MISSING]: 5 } } };
    const verification = verify(snapshot(before), snapshot(after), [cart(), missing(2)]);
    expect(verification).toMatchObject({ verdict: 'verified', answered: 7, unknown: 0 });
    expect(verification.rows.map(textRow)).toEqual([
      { series: GET_CART, atLeast: 5, atMost: 5, counted: 5, difference: 0 },
      { series: ERRORS_404, atLeast: 2, atMost: 2, counted: 2, difference: 0 },
      { series: CART_200, atLeast: 5, atMost: 5, counted: 5, difference: 0 },
      { series: MISSING, atLeast: 2, atMost: 2, counted: 2, difference: 0 },
      { series: 'inprogress_requests', atLeast: 0, atMost: 0, counted: 0, difference: 0 },
    ]);
  });

  it('names the series that somebody else has used', () => {
    const after = { a: { values: { [GET_CART]: 5, [CART_200]: 5, [POST_CART]: 1 } } };
    expect(differing({ a: { values: {} } }, after, [cart()])).toEqual({
      verdict: 'failed',
      wrong: { [POST_CART]: 1 },
    });
  });

  it('names the series that was counted twice, or not at all', () => {
    const twice = { a: { values: { [GET_CART]: 6, [CART_200]: 5 } } };
    expect(differing({ a: { values: {} } }, twice, [cart()]).wrong).toEqual({ [GET_CART]: 1 });
    const lost = { a: { values: { [GET_CART]: 5 } } };
    expect(differing({ a: { values: {} } }, lost, [cart()]).wrong).toEqual({ [CART_200]: -5 });
  });

  it('fails while the gauge is not back at 0, whatever it was before', () => {
    const before = { a: { values: { inprogress_requests: 2 } } };
    const after = { a: { values: { [GET_CART]: 5, [CART_200]: 5, inprogress_requests: 1 } } };
    expect(differing(before, after, [cart()])).toEqual({
      verdict: 'failed',
      wrong: { inprogress_requests: 1 },
    });
  });

  it('adds up the replicas, one that appeared in between from 0', () => {
    const before = { a: { values: { [GET_CART]: 10, [CART_200]: 10 } } };
    const after = {
      a: { values: { [GET_CART]: 12, [CART_200]: 12 } },
      b: { values: { [GET_CART]: 3, [CART_200]: 3 } },
    };
    expect(verify(snapshot(before), snapshot(after), [cart()]).verdict).toBe('verified');
  });

  it('is unverifiable when a replica was restarted or is gone, and says which', () => {
    const before = { a: { start: 1, values: {} }, b: { start: 1, values: {} }, c: { start: 1, values: {} } };
    const after = { a: { start: 1, values: {} }, b: { start: 2, values: {} } };
    const { verdict, obstacles, rows } = verify(snapshot(before), snapshot(after), [cart()]);
    expect([verdict, rows]).toEqual(['unverifiable', []]);
    expect(obstacles).toEqual([
      'b was restarted in between, so its counters began again at 0',
      'c has terminated, and what it had counted is lost',
    ]);
  });
});

describe('processes that have ended', () => {
  const before = snapshot({ a: { values: { [GET_CART]: 10, [CART_200]: 10 } }, b: { values: {} } });
  const counted = (count: number) => ({ values: { [GET_CART]: count, [CART_200]: count } });

  it('count in full when they were drained, also where another has their place, or they appeared in between', () => {
    const terminated = { a: counted(11), b: counted(1), c: counted(1) };
    const after = readingWith({ a: { start: 2, ...counted(2) } }, terminated, true);
    expect(verify(before, after, [cart()])).toMatchObject({
      verdict: 'verified',
      answered: 5,
      obstacles: [],
    });
  });

  it('are named with the most that they have lost when they were not', () => {
    const busy = { values: { [GET_CART]: 12, [CART_200]: 12, inprogress_requests: 1 } };
    const after = readingWith({ b: counted(1) }, { a: busy }, false);
    const { verdict, obstacles, rows } = verify(before, after, [cart({ unknown: 1 })]);
    expect(verdict).toBe('unverifiable');
    expect(obstacles).toEqual([
      'a ended without being drained: at most 3 requests that it answered after its last scrape are lost',
    ]);
    expect(rows.map(textRow)).toContainEqual({
      series: GET_CART,
      atLeast: 5,
      atMost: 6,
      counted: 3,
      difference: -2,
    });
  });

  it('may bring what is missing with a later scrape of others', () => {
    const verification = verify(before, readingWith({ b: counted(1) }, { a: counted(12) }, false), [cart()]);
    expect(standingOf(verification)).toBe('missing');
  });

  it('are no obstacle when nothing is missing', () => {
    const after = readingWith({ b: counted(3) }, { a: counted(12) }, false);
    expect(verify(before, after, [cart()]).verdict).toBe('verified');
  });

  it('do not excuse a request too many', () => {
    const after = readingWith({ b: counted(3) }, { a: counted(13) }, false);
    expect(verify(before, after, [cart()]).verdict).toBe('failed');
  });

  it('are an obstacle when nothing is known of them', () => {
    const { verdict, obstacles } = verify(before, readingWith({ b: counted(3) }, {}, true), [cart()]);
    expect([verdict, obstacles]).toEqual([
      'unverifiable',
      ['a has terminated, and what it had counted is lost'],
    ]);
  });
});

describe('a later scrape', () => {
  const standing = (values: Record<string, number>) =>
    standingOf(verify(snapshot({ a: { values: {} } }), snapshot({ a: { values } }), [cart()]));

  it.each([
    ['may bring what is missing', { [GET_CART]: 3, [CART_200]: 3 }, 'missing'],
    ['may bring the gauge back to 0', { [GET_CART]: 5, [CART_200]: 5, inprogress_requests: 2 }, 'missing'],
    ['does not take away what is too much', { [GET_CART]: 6, [CART_200]: 3 }, 'wrong'],
    ['has to find equal what is equal', { [GET_CART]: 5, [CART_200]: 5 }, 'equal'],
  ])('%s', (_, values, expected) => {
    expect(standing(values)).toBe(expected);
  });

  it('does not bring back a process', () => {
    expect(standingOf(verify(snapshot({ a: { values: {} } }), snapshot({}), [cart()]))).toBe('wrong');
  });
});

describe('requests with an unknown fate', () => {
  const expectedCounts = [cart({ unknown: 2 })];

  it.each([
    ['were not counted', { [GET_CART]: 5, [CART_200]: 5 }],
    ['were counted as aborted', { [GET_CART]: 7, [CART_200]: 5, [CART_499]: 2, [ERRORS_499]: 2 }],
    ['were counted as answered', { [GET_CART]: 7, [CART_200]: 7 }],
  ])('leave the verification inconclusive when they %s', (_, values) => {
    expect(differing({ a: { values: {} } }, { a: { values } }, expectedCounts)).toEqual({
      verdict: 'inconclusive',
      wrong: {},
    });
  });

  it('cover no more than their number', () => {
    const after = { a: { values: { [GET_CART]: 8, [CART_200]: 5, [ERRORS_499]: 3 } } };
    expect(differing({ a: { values: {} } }, after, expectedCounts)).toEqual({
      verdict: 'failed',
      wrong: { [GET_CART]: 1, [ERRORS_499]: 1 },
    });
  });

  it('cover no other series', () => {
    const after = { a: { values: { [GET_CART]: 5, [CART_200]: 5, [POST_CART]: 1 } } };
    expect(differing({ a: { values: {} } }, after, expectedCounts).wrong).toEqual({ [POST_CART]: 1 });
  });
});

describe('targets that declare no series', () => {
  const undeclared = (answered: Record<string, number>, unknown = 0) =>
    cart({ series: null, answered, unknown });
  const rowsOf = (values: Record<string, number>, expectedCounts: ExpectedCounts) => {
    const verification = verify(snapshot({ a: { values: {} } }), snapshot({ a: { values } }), expectedCounts);
    const rows = verification.rows
      .filter(({ labels }) => labels === null)
      .map(({ atLeast, atMost, counted, difference }) => [atLeast, atMost, counted, difference]);
    return { verification, verdict: verification.verdict, rows };
  };

  it('are verified in the sum, and the sentence says so', () => {
    const values = { [GET_CART]: 5, [POST_CART]: 2, [CART_200]: 7, [MISSING]: 1, [ERRORS_404]: 1 };
    const { verification, verdict, rows } = rowsOf(values, [cart(), undeclared({ 200: 2, 404: 1 })]);
    expect([verdict, ...rows]).toEqual(['verified', [2, 2, 2, 0], [3, 3, 3, 0]]);
    expect(formatVerified(verification)).toEqual([
      '8 requests, counted 8 times in all',
      'of 3 only the sum was compared: their targets declare no series',
    ]);
  });

  it.each<[string, Record<string, number>, Record<string, number>, number[][]]>([
    [
      'half were counted',
      { 200: 50 },
      { [GET_CART]: 25, [CART_200]: 50 },
      [
        [50, 50, 25, -25],
        [50, 50, 50, 0],
      ],
    ],
    [
      'the counter is missing',
      { 200: 50 },
      { [CART_200]: 50 },
      [
        [50, 50, 0, -50],
        [50, 50, 50, 0],
      ],
    ],
    [
      'the histogram is missing',
      { 200: 50 },
      { [GET_CART]: 50 },
      [
        [0, 50, 50, 0],
        [50, 50, 0, -50],
      ],
    ],
    [
      'a request that no route handled is in the counter',
      { 404: 2 },
      { [GET_CART]: 1, [MISSING]: 2, [ERRORS_404]: 2 },
      [
        [0, 0, 1, 1],
        [2, 2, 2, 0],
      ],
    ],
    [
      'one was counted twice',
      { 200: 2, 404: 1 },
      { [GET_CART]: 4, [CART_200]: 4, [ERRORS_404]: 1 },
      [
        [3, 3, 4, 1],
        [3, 3, 4, 1],
      ],
    ],
  ])('fail where %s', (_name, answered, values, expected) => {
    const { verdict, rows } = rowsOf(values, [undeclared(answered)]);
    expect([verdict, rows]).toEqual(['failed', expected]);
  });

  it('are verified where no route handled any of them', () => {
    const { verdict, rows } = rowsOf({ [MISSING]: 2, [ERRORS_404]: 2, [GET_CART]: 0 }, [
      undeclared({ 404: 2 }),
    ]);
    expect([verdict, ...rows]).toEqual(['verified', [0, 0, 0, 0], [2, 2, 2, 0]]);
  });

  it('leave a range where requests have an unknown fate, their own or that of others', () => {
    const own = rowsOf({ [GET_CART]: 3, [CART_200]: 3 }, [undeclared({ 200: 3 }, 1)]);
    expect([own.verdict, ...own.rows]).toEqual(['inconclusive', [3, 4, 3, 0], [3, 4, 3, 0]]);
    const values = { [GET_CART]: 8, [CART_200]: 8 };
    const others = rowsOf(values, [cart({ unknown: 2 }), undeclared({ 200: 3 })]);
    expect([others.verdict, others.rows[1]]).toEqual(['inconclusive', [1, 3, 1, 0]]);
  });
});

it('a counter that fell makes the verification unverifiable, also where another one makes up for it', () => {
  const both = (a: number, b: number) =>
    snapshot({
      a: { values: { [GET_CART]: a, [CART_200]: a } },
      b: { values: { [GET_CART]: b, [CART_200]: b } },
    });
  expect(verify(both(10, 10), both(7, 18), [cart()])).toMatchObject({
    verdict: 'unverifiable',
    obstacles: [
      `${GET_CART} of a is 3 less than before, without a restart`,
      `${CART_200} of a is 3 less than before, without a restart`,
    ],
  });
});

describe('a metric that is not there', () => {
  const after = (values: Record<string, number>) =>
    verify(snapshot({ a: { values: {} } }), snapshot({ a: { values } }), [cart()]);

  it('is named', () => {
    expect(after({ [CART_200]: 5 })).toMatchObject({
      verdict: 'failed',
      notes: ['Prometheus has no http_requests_total', 'Prometheus has no http_errors_total'],
    });
    expect(after({ [GET_CART]: 5, [CART_200]: 5 })).toMatchObject({
      verdict: 'verified',
      notes: ['Prometheus has no http_errors_total'],
    });
  });

  it('is named where it was there before', () => {
    const before = snapshot({ a: { values: { [GET_CART]: 7, [CART_200]: 7 } } });
    expect(verify(before, snapshot({ a: { values: { [CART_200]: 12 } } }), [cart()])).toMatchObject({
      verdict: 'unverifiable',
      obstacles: [`${GET_CART} of a is 7 less than before, without a restart`],
      notes: ['Prometheus has no http_requests_total', 'Prometheus has no http_errors_total'],
    });
  });

  it('leaves the verification inconclusive when it is the gauge, of one process already', () => {
    const counted = { [GET_CART]: 5, [CART_200]: 5, [ERRORS_404]: 0 };
    const both = snapshot({ a: { values: counted }, b: { values: {} } });
    const instances = both.instances.map((process, n) => (n === 0 ? process : { ...process, values: [] }));
    expect(verify(snapshot({}), { ...both, instances }, [cart()])).toMatchObject({
      verdict: 'inconclusive',
      notes: ['Prometheus has no inprogress_requests of b: requests may still be in progress there'],
    });
  });
});

describe('a process', () => {
  const one = (labels: Record<string, string>, startTimeSeconds: number, count: number) => ({
    labels: { job: 'api', instance: 'api', ...labels },
    startTimeSeconds,
    scrapedAtSeconds: 0,
    values: valuesOf({ inprogress_requests: 0, [GET_CART]: count, [CART_200]: count }),
  });
  const verificationOf = (before: ReturnType<typeof one>[], after: ReturnType<typeof one>[]) =>
    verify({ askedAtSeconds: 0, instances: before }, { askedAtSeconds: 0, instances: after }, [cart()]);

  it('is known by all labels of its target, not by its instance alone', () => {
    const before = [one({ pod: 'x' }, 1, 100), one({ pod: 'y' }, 2, 200)];
    const after = [one({ pod: 'x' }, 1, 103), one({ pod: 'y' }, 2, 202)];
    expect(verificationOf(before, after).verdict).toBe('verified');
    expect(verificationOf(before, [one({ pod: 'x' }, 1, 105)]).obstacles).toEqual([
      'api {pod="y"} has terminated, and what it had counted is lost',
    ]);
  });

  it.each([
    [0.02, 'verified'],
    [-0.02, 'verified'],
    [1, 'unverifiable'],
  ])('whose start time is %s s later has the verdict %s', (later, verdict) => {
    expect(verificationOf([one({}, 1000, 10)], [one({}, 1000 + later, 15)]).verdict).toBe(verdict);
  });

  it('with a value that is not a count makes the verification unverifiable, which names it', () => {
    const odd = {
      ...one({}, 1, 0),
      values: [{ metric: 'http_errors_total', labels: { code: '500' }, value: null }],
    };
    expect(verificationOf([one({}, 1, 0)], [odd])).toMatchObject({
      verdict: 'unverifiable',
      obstacles: ['http_errors_total{code="500"} of api is not a count in Prometheus'],
    });
  });
});
