import { describe, expect, it } from '@jest/globals';
import { describeVerification } from '../src/verify/description.ts';
import type { ExpectedCount, ExpectedCounts } from '../src/verify/expected-counts.ts';
import type { Snapshot } from '../src/verify/process.ts';
import { standingOf, verify } from '../src/verify/verification.ts';
import { textRow, valuesOf } from './series-text.ts';

const GET_CART = 'http_requests_total{path="cart",method="get"}';
const CART_200 = 'http_request_duration_seconds_count{path="cart",method="get",code="200"}';
const CART_499 = 'http_request_duration_seconds_count{path="cart",method="get",code="499"}';
const POST_CART = 'http_requests_total{path="cart",method="post"}';
const MISSING = 'http_request_duration_seconds_count{path="unmatched",method="get",code="404"}';
const ERRORS_404 = 'http_errors_total{code="404"}';
const ERRORS_499 = 'http_errors_total{code="499"}';

type Values = Record<string, number>;
/** What each instance has counted, by its name, which may end with its start time: `a@2`. */
type Instances = Record<string, Values>;

function processesOf(instances: Instances): Snapshot['instances'] {
  return Object.entries(instances).map(([name, values]) => {
    const [instance = '', start = 1] = name.split('@');
    return {
      labels: { job: 'api', instance },
      startTimeSeconds: Number(start),
      scrapedAtSeconds: 0,
      values: valuesOf({ inprogress_requests: 0, ...values }),
    };
  });
}

function snapshot(instances: Instances, terminated?: Instances, isDrained = false): Snapshot {
  const ended = terminated && processesOf(terminated).map((process) => ({ ...process, isDrained }));
  return { askedAtSeconds: 0, instances: processesOf(instances), ...(ended && { terminated: ended }) };
}

const expected = (overrides: Partial<ExpectedCount>): ExpectedCount => ({
  ...{ series: { path: 'cart', method: 'get' }, answered: { 200: 5 }, unknown: 0, notSent: 0 },
  ...overrides,
});
const CART = expected({});
const counted = (count: number) => ({ [GET_CART]: count, [CART_200]: count });

/** Of one process that had counted nothing before. */
const verifyOne = (values: Values, counts: ExpectedCounts = [CART]) =>
  verify(snapshot({ a: {} }), snapshot({ a: values }), counts);
const differing = (values: Values, counts?: ExpectedCounts) => {
  const { verdict, rows } = verifyOne(values, counts);
  const wrong = rows.map(textRow).filter(({ difference }) => difference !== 0);
  return { verdict, wrong: Object.fromEntries(wrong.map(({ series, difference }) => [series, difference])) };
};

describe('the verification', () => {
  it('holds when every series grew by what was sent', () => {
    const before = snapshot({ a: { ...counted(10), [ERRORS_404]: 3, [MISSING]: 3 } });
    const after = snapshot({ a: { ...counted(15), [ERRORS_404]: 5, [MISSING]: 5 } });
    const missing = expected({ series: { path: 'unmatched', method: 'get' }, answered: { 404: 2 } });
    const verification = verify(before, after, [CART, missing]);
    expect(verification).toMatchObject({ verdict: 'verified', answered: 7, unknown: 0 });
    expect(verification.rows.map(textRow)).toEqual([
      { series: GET_CART, atLeast: 5, atMost: 5, counted: 5, difference: 0 },
      { series: ERRORS_404, atLeast: 2, atMost: 2, counted: 2, difference: 0 },
      { series: CART_200, atLeast: 5, atMost: 5, counted: 5, difference: 0 },
      { series: MISSING, atLeast: 2, atMost: 2, counted: 2, difference: 0 },
      { series: 'inprogress_requests', atLeast: 0, atMost: 0, counted: 0, difference: 0 },
    ]);
  });

  it.each<[string, Values, Values]>([
    ['another client has used', { ...counted(5), [POST_CART]: 1 }, { [POST_CART]: 1 }],
    ['was counted twice', { ...counted(5), [GET_CART]: 6 }, { [GET_CART]: 1 }],
    ['was not counted at all', { [GET_CART]: 5 }, { [CART_200]: -5 }],
    [
      'is the gauge, and not back at 0',
      { ...counted(5), inprogress_requests: 1 },
      { inprogress_requests: 1 },
    ],
  ])('fails and names the series that %s', (_, values, wrong) => {
    expect(differing(values)).toEqual({ verdict: 'failed', wrong });
  });

  it('does not care what the gauge was before', () => {
    const before = snapshot({ a: { inprogress_requests: 2 } });
    expect(verify(before, snapshot({ a: counted(5) }), [CART]).verdict).toBe('verified');
  });

  it('adds up the replicas, one that appeared in between from 0', () => {
    const after = snapshot({ a: counted(12), b: counted(3) });
    expect(verify(snapshot({ a: counted(10) }), after, [CART]).verdict).toBe('verified');
  });

  it('is unverifiable when a replica was restarted or has terminated, and says which', () => {
    const before = snapshot({ a: {}, b: {}, c: {} });
    expect(verify(before, snapshot({ a: {}, 'b@2': {} }), [CART])).toMatchObject({
      verdict: 'unverifiable',
      rows: [],
      obstacles: [
        'b was restarted in between, so its counters began again at 0',
        'c has terminated, and what it had counted is lost',
      ],
    });
  });

  it('is unverifiable where a counter fell, also where another one makes up for it', () => {
    const before = snapshot({ a: counted(10), b: counted(10) });
    expect(verify(before, snapshot({ a: counted(7), b: counted(18) }), [CART])).toMatchObject({
      verdict: 'unverifiable',
      obstacles: [
        `${GET_CART} of a is 3 less than before, without a restart`,
        `${CART_200} of a is 3 less than before, without a restart`,
      ],
    });
  });
});

describe('processes that have ended', () => {
  const before = snapshot({ a: counted(10), b: {} });

  it.each<[string, string, Snapshot]>([
    [
      'count in full when they were drained, also where another has their place, or they appeared in between',
      'verified',
      snapshot({ 'a@2': counted(2) }, { a: counted(11), b: counted(1), c: counted(1) }, true),
    ],
    ['are no obstacle when nothing is missing', 'verified', snapshot({ b: counted(3) }, { a: counted(12) })],
    ['do not excuse a request too many', 'failed', snapshot({ b: counted(3) }, { a: counted(13) })],
  ])('%s', (_, verdict, after) => {
    expect(verify(before, after, [CART])).toMatchObject({ verdict, answered: 5, obstacles: [] });
  });

  it('are named with the most that they have lost when they were not drained', () => {
    const after = snapshot({ b: counted(1) }, { a: { ...counted(12), inprogress_requests: 1 } });
    const { verdict, obstacles, rows } = verify(before, after, [expected({ unknown: 1 })]);
    expect(verdict).toBe('unverifiable');
    expect(obstacles).toEqual([
      'a ended without being drained: at most 3 requests that it answered after its last scrape are lost',
    ]);
    const row = { series: GET_CART, atLeast: 5, atMost: 6, counted: 3, difference: -2 };
    expect(rows.map(textRow)).toContainEqual(row);
  });

  it('may bring what is missing with a later scrape of others', () => {
    const after = snapshot({ b: counted(1) }, { a: counted(12) });
    expect(standingOf(verify(before, after, [CART]))).toBe('missing');
  });

  it('are an obstacle when nothing is known of them', () => {
    const obstacles = ['a has terminated, and what it had counted is lost'];
    const after = snapshot({ b: counted(3) }, {}, true);
    expect(verify(before, after, [CART])).toMatchObject({ verdict: 'unverifiable', obstacles });
  });
});

describe('a later scrape', () => {
  it.each<[string, Values, string]>([
    ['may bring what is missing', counted(3), 'missing'],
    ['may bring the gauge back to 0', { ...counted(5), inprogress_requests: 2 }, 'missing'],
    ['does not take away what is too much', { [GET_CART]: 6, [CART_200]: 3 }, 'wrong'],
    ['has to find equal what is equal', counted(5), 'equal'],
  ])('%s', (_, values, standing) => {
    expect(standingOf(verifyOne(values))).toBe(standing);
  });

  it('does not bring back a process', () => {
    expect(standingOf(verify(snapshot({ a: {} }), snapshot({}), [CART]))).toBe('wrong');
  });
});

describe('requests of which it is unknown whether they were counted', () => {
  const unknown = [expected({ unknown: 2 })];

  it.each<[string, string, Values, Values]>([
    ['leave it inconclusive when they were not counted', 'inconclusive', counted(5), {}],
    [
      'leave it inconclusive when they were counted as aborted',
      'inconclusive',
      { [GET_CART]: 7, [CART_200]: 5, [CART_499]: 2, [ERRORS_499]: 2 },
      {},
    ],
    ['leave it inconclusive when they were counted as answered', 'inconclusive', counted(7), {}],
    [
      'cover no more than their number',
      'failed',
      { [GET_CART]: 8, [CART_200]: 5, [ERRORS_499]: 3 },
      { [GET_CART]: 1, [ERRORS_499]: 1 },
    ],
    ['cover no other series', 'failed', { ...counted(5), [POST_CART]: 1 }, { [POST_CART]: 1 }],
  ])('%s', (_, verdict, values, wrong) => {
    expect(differing(values, unknown)).toEqual({ verdict, wrong });
  });
});

describe('targets that declare no series', () => {
  const undeclared = (answered: Record<string, number>, unknown = 0) =>
    expected({ series: null, answered, unknown });
  const rowsOf = (values: Values, counts: ExpectedCounts) => {
    const verification = verifyOne(values, counts);
    const rows = verification.rows
      .filter(({ labels }) => labels === null)
      .map(
        ({ atLeast, atMost, counted: grown, difference }) => `${atLeast}..${atMost} ${grown} ${difference}`,
      );
    return { verification, verdict: verification.verdict, rows };
  };

  it('are verified in the sum, and the sentence says so', () => {
    const values = { [GET_CART]: 5, [POST_CART]: 2, [CART_200]: 7, [MISSING]: 1, [ERRORS_404]: 1 };
    const { verification, verdict, rows } = rowsOf(values, [CART, undeclared({ 200: 2, 404: 1 })]);
    expect([verdict, ...rows]).toEqual(['verified', '2..2 2 0', '3..3 3 0']);
    expect(describeVerification(verification)).toEqual({
      headline: 'verified: 8 requests, counted 8 times in all',
      details: ['of 3 only the sum was compared: their targets declare no series'],
    });
  });

  // The rows are those of the counter and of the histogram: at least..at most, counted, difference.
  it.each<[string, Record<string, number>, Values, [counter: string, histogram: string]]>([
    ['half were counted', { 200: 50 }, { [GET_CART]: 25, [CART_200]: 50 }, ['50..50 25 -25', '50..50 50 0']],
    ['the counter is missing', { 200: 50 }, { [CART_200]: 50 }, ['50..50 0 -50', '50..50 50 0']],
    ['the histogram is missing', { 200: 50 }, { [GET_CART]: 50 }, ['0..50 50 0', '50..50 0 -50']],
    [
      'a request that no route handled is in the counter',
      { 404: 2 },
      { [GET_CART]: 1, [MISSING]: 2, [ERRORS_404]: 2 },
      ['0..0 1 1', '2..2 2 0'],
    ],
    [
      'one was counted twice',
      { 200: 2, 404: 1 },
      { [GET_CART]: 4, [CART_200]: 4, [ERRORS_404]: 1 },
      ['3..3 4 1', '3..3 4 1'],
    ],
  ])('fail where %s', (_name, answered, values, rows) => {
    expect(rowsOf(values, [undeclared(answered)])).toMatchObject({ verdict: 'failed', rows });
  });

  it('are verified where no route handled any of them', () => {
    const values = { [MISSING]: 2, [ERRORS_404]: 2, [GET_CART]: 0 };
    const { verdict, rows } = rowsOf(values, [undeclared({ 404: 2 })]);
    expect([verdict, ...rows]).toEqual(['verified', '0..0 0 0', '2..2 2 0']);
  });

  it('leave a range where it is unknown what was counted, of them or of others', () => {
    const own = rowsOf(counted(3), [undeclared({ 200: 3 }, 1)]);
    expect([own.verdict, ...own.rows]).toEqual(['inconclusive', '3..4 3 0', '3..4 3 0']);
    const others = rowsOf(counted(8), [expected({ unknown: 2 }), undeclared({ 200: 3 })]);
    expect([others.verdict, others.rows[1]]).toEqual(['inconclusive', '1..3 1 0']);
  });
});

describe('a metric that is not there', () => {
  const notes = ['Prometheus has no http_requests_total', 'Prometheus has no http_errors_total'];

  it('is named', () => {
    expect(verifyOne({ [CART_200]: 5 })).toMatchObject({ verdict: 'failed', notes });
    expect(verifyOne(counted(5))).toMatchObject({ verdict: 'verified', notes: notes.slice(1) });
  });

  it('is named where it was there before', () => {
    const obstacles = [`${GET_CART} of a is 7 less than before, without a restart`];
    const after = snapshot({ a: { [CART_200]: 12 } });
    const verdict = 'unverifiable';
    expect(verify(snapshot({ a: counted(7) }), after, [CART])).toMatchObject({ verdict, obstacles, notes });
  });

  it('leaves it inconclusive when it is the gauge, of one process already', () => {
    const both = snapshot({ a: { ...counted(5), [ERRORS_404]: 0 }, b: {} });
    const instances = both.instances.map((process, n) => (n === 0 ? process : { ...process, values: [] }));
    expect(verify(snapshot({}), { ...both, instances }, [CART])).toMatchObject({
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
    values: valuesOf({ inprogress_requests: 0, ...counted(count) }),
  });
  const verificationOf = (before: ReturnType<typeof one>[], after: Snapshot['instances']) =>
    verify({ askedAtSeconds: 0, instances: before }, { askedAtSeconds: 0, instances: after }, [CART]);

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

  it('with a value that is not a count is unverifiable, and the value is named', () => {
    const values = [{ metric: 'http_errors_total', labels: { code: '500' }, value: null }];
    expect(verificationOf([one({}, 1, 0)], [{ ...one({}, 1, 0), values }])).toMatchObject({
      verdict: 'unverifiable',
      obstacles: ['http_errors_total{code="500"} of api is not a count in Prometheus'],
    });
  });
});
