import { describe, expect, it } from '@jest/globals';
import type { Reading } from '../src/proof/process.ts';
import { formatProved, prove, standingOf } from '../src/proof/proof.ts';
import type { Tally, TallyEntry } from '../src/proof/tally.ts';
import { textRow, valuesOf } from './series-text.ts';

const GET_CART = 'http_requests_total{path="cart",method="get"}';
const CART_200 = 'http_request_duration_seconds_count{path="cart",method="get",code="200"}';
const CART_499 = 'http_request_duration_seconds_count{path="cart",method="get",code="499"}';
const POST_CART = 'http_requests_total{path="cart",method="post"}';
const MISSING = 'http_request_duration_seconds_count{path="unmatched",method="get",code="404"}';
const ERRORS_404 = 'http_errors_total{code="404"}';
const ERRORS_499 = 'http_errors_total{code="499"}';

type Instances = Record<string, { start?: number; values: Record<string, number> }>;

function instancesOf(instances: Instances): Reading['instances'] {
  return Object.entries(instances).map(([instance, { start = 1, values }]) => ({
    labels: { job: 'api', instance },
    startTimeSeconds: start,
    scrapedAtSeconds: 0,
    values: valuesOf({ inprogress_requests: 0, ...values }),
  }));
}

function reading(instances: Instances): Reading {
  return { askedAtSeconds: 0, instances: instancesOf(instances) };
}

/** With processes that have ended since. */
function readingWith(instances: Instances, gone: Instances, isDrained: boolean): Reading {
  return { ...reading(instances), gone: instancesOf(gone).map((process) => ({ ...process, isDrained })) };
}

const cart = (overrides: Partial<TallyEntry> = {}): TallyEntry => ({
  series: { path: 'cart', method: 'get' },
  answered: { 200: 5 },
  unknown: 0,
  notSent: 0,
  ...overrides,
});
const missing = (count: number): TallyEntry => ({
  series: { path: 'unmatched', method: 'get' },
  answered: { 404: count },
  unknown: 0,
  notSent: 0,
});
const differing = (before: Instances, after: Instances, tally: Tally) => {
  const { verdict, rows } = prove(reading(before), reading(after), tally);
  const wrong = rows.map(textRow).filter(({ difference }) => difference !== 0);
  return { verdict, wrong: Object.fromEntries(wrong.map(({ series, difference }) => [series, difference])) };
};

describe('the proof', () => {
  it('holds when every series grew by what was sent', () => {
    const before = { a: { values: { [GET_CART]: 10, [CART_200]: 10, [ERRORS_404]: 3, [MISSING]: 3 } } };
    const after = { a: { values: { [GET_CART]: 15, [CART_200]: 15, [ERRORS_404]: 5, [MISSING]: 5 } } };
    const proof = prove(reading(before), reading(after), [cart(), missing(2)]);
    expect(proof).toMatchObject({ verdict: 'proved', answered: 7, unknown: 0 });
    expect(proof.rows.map(textRow)).toEqual([
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
    expect(prove(reading(before), reading(after), [cart()]).verdict).toBe('proved');
  });

  it('is impossible when a replica was restarted or is gone, and says which', () => {
    const before = { a: { start: 1, values: {} }, b: { start: 1, values: {} }, c: { start: 1, values: {} } };
    const after = { a: { start: 1, values: {} }, b: { start: 2, values: {} } };
    const { verdict, obstacles, rows } = prove(reading(before), reading(after), [cart()]);
    expect([verdict, rows]).toEqual(['impossible', []]);
    expect(obstacles).toEqual([
      'b was restarted in between, so its counters began again at 0',
      'c is gone, and what it had counted with it',
    ]);
  });
});

describe('processes that have ended', () => {
  const before = reading({ a: { values: { [GET_CART]: 10, [CART_200]: 10 } }, b: { values: {} } });
  const counted = (count: number) => ({ values: { [GET_CART]: count, [CART_200]: count } });

  it('count in full when they were drained, also where another has their place, or they appeared in between', () => {
    const gone = { a: counted(11), b: counted(1), c: counted(1) };
    const after = readingWith({ a: { start: 2, ...counted(2) } }, gone, true);
    expect(prove(before, after, [cart()])).toMatchObject({ verdict: 'proved', answered: 5, obstacles: [] });
  });

  it('are named with the most that they have lost when they were not', () => {
    const busy = { values: { [GET_CART]: 12, [CART_200]: 12, inprogress_requests: 1 } };
    const after = readingWith({ b: counted(1) }, { a: busy }, false);
    const { verdict, obstacles, rows } = prove(before, after, [cart({ unknown: 1 })]);
    expect(verdict).toBe('impossible');
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
    const proof = prove(before, readingWith({ b: counted(1) }, { a: counted(12) }, false), [cart()]);
    expect(standingOf(proof)).toBe('missing');
  });

  it('are no obstacle when nothing is missing', () => {
    const after = readingWith({ b: counted(3) }, { a: counted(12) }, false);
    expect(prove(before, after, [cart()]).verdict).toBe('proved');
  });

  it('do not excuse a request too many', () => {
    const after = readingWith({ b: counted(3) }, { a: counted(13) }, false);
    expect(prove(before, after, [cart()]).verdict).toBe('failed');
  });

  it('are an obstacle when nothing is known of them', () => {
    const { verdict, obstacles } = prove(before, readingWith({ b: counted(3) }, {}, true), [cart()]);
    expect([verdict, obstacles]).toEqual(['impossible', ['a is gone, and what it had counted with it']]);
  });
});

describe('a later scrape', () => {
  const standing = (values: Record<string, number>) =>
    standingOf(prove(reading({ a: { values: {} } }), reading({ a: { values } }), [cart()]));

  it.each([
    ['may bring what is missing', { [GET_CART]: 3, [CART_200]: 3 }, 'missing'],
    ['may bring the gauge back to 0', { [GET_CART]: 5, [CART_200]: 5, inprogress_requests: 2 }, 'missing'],
    ['does not take away what is too much', { [GET_CART]: 6, [CART_200]: 3 }, 'wrong'],
    ['has to find equal what is equal', { [GET_CART]: 5, [CART_200]: 5 }, 'equal'],
  ])('%s', (_, values, expected) => {
    expect(standing(values)).toBe(expected);
  });

  it('does not bring back a process', () => {
    expect(standingOf(prove(reading({ a: { values: {} } }), reading({}), [cart()]))).toBe('wrong');
  });
});

describe('requests with an unknown fate', () => {
  const tally = [cart({ unknown: 2 })];

  it.each([
    ['were not counted', { [GET_CART]: 5, [CART_200]: 5 }],
    ['were counted as aborted', { [GET_CART]: 7, [CART_200]: 5, [CART_499]: 2, [ERRORS_499]: 2 }],
    ['were counted as answered', { [GET_CART]: 7, [CART_200]: 7 }],
  ])('leave the proof inconclusive when they %s', (_, values) => {
    expect(differing({ a: { values: {} } }, { a: { values } }, tally)).toEqual({
      verdict: 'inconclusive',
      wrong: {},
    });
  });

  it('cover no more than their number', () => {
    const after = { a: { values: { [GET_CART]: 8, [CART_200]: 5, [ERRORS_499]: 3 } } };
    expect(differing({ a: { values: {} } }, after, tally)).toEqual({
      verdict: 'failed',
      wrong: { [GET_CART]: 1, [ERRORS_499]: 1 },
    });
  });

  it('cover no other series', () => {
    const after = { a: { values: { [GET_CART]: 5, [CART_200]: 5, [POST_CART]: 1 } } };
    expect(differing({ a: { values: {} } }, after, tally).wrong).toEqual({ [POST_CART]: 1 });
  });
});

describe('targets that declare no series', () => {
  const undeclared = (answered: Record<string, number>, unknown = 0) =>
    cart({ series: null, answered, unknown });
  const rowsOf = (values: Record<string, number>, tally: Tally) => {
    const proof = prove(reading({ a: { values: {} } }), reading({ a: { values } }), tally);
    const rows = proof.rows
      .filter(({ labels }) => labels === null)
      .map(({ atLeast, atMost, counted, difference }) => [atLeast, atMost, counted, difference]);
    return { proof, verdict: proof.verdict, rows };
  };

  it('are proved in the sum, and the sentence says so', () => {
    const values = { [GET_CART]: 5, [POST_CART]: 2, [CART_200]: 7, [MISSING]: 1, [ERRORS_404]: 1 };
    const { proof, verdict, rows } = rowsOf(values, [cart(), undeclared({ 200: 2, 404: 1 })]);
    expect([verdict, ...rows]).toEqual(['proved', [2, 2, 2, 0], [3, 3, 3, 0]]);
    expect(formatProved(proof)).toEqual([
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

  it('are proved where no route handled any of them', () => {
    const { verdict, rows } = rowsOf({ [MISSING]: 2, [ERRORS_404]: 2, [GET_CART]: 0 }, [
      undeclared({ 404: 2 }),
    ]);
    expect([verdict, ...rows]).toEqual(['proved', [0, 0, 0, 0], [2, 2, 2, 0]]);
  });

  it('leave a range where requests have an unknown fate, their own or that of others', () => {
    const own = rowsOf({ [GET_CART]: 3, [CART_200]: 3 }, [undeclared({ 200: 3 }, 1)]);
    expect([own.verdict, ...own.rows]).toEqual(['inconclusive', [3, 4, 3, 0], [3, 4, 3, 0]]);
    const values = { [GET_CART]: 8, [CART_200]: 8 };
    const others = rowsOf(values, [cart({ unknown: 2 }), undeclared({ 200: 3 })]);
    expect([others.verdict, others.rows[1]]).toEqual(['inconclusive', [1, 3, 1, 0]]);
  });
});

it('a counter that fell makes the proof impossible, also where another one makes up for it', () => {
  const both = (a: number, b: number) =>
    reading({
      a: { values: { [GET_CART]: a, [CART_200]: a } },
      b: { values: { [GET_CART]: b, [CART_200]: b } },
    });
  expect(prove(both(10, 10), both(7, 18), [cart()])).toMatchObject({
    verdict: 'impossible',
    obstacles: [
      `${GET_CART} of a is 3 less than before, without a restart`,
      `${CART_200} of a is 3 less than before, without a restart`,
    ],
  });
});

describe('a metric that is not there', () => {
  const after = (values: Record<string, number>) =>
    prove(reading({ a: { values: {} } }), reading({ a: { values } }), [cart()]);

  it('is named', () => {
    expect(after({ [CART_200]: 5 })).toMatchObject({
      verdict: 'failed',
      notes: ['Prometheus has no http_requests_total', 'Prometheus has no http_errors_total'],
    });
    expect(after({ [GET_CART]: 5, [CART_200]: 5 })).toMatchObject({
      verdict: 'proved',
      notes: ['Prometheus has no http_errors_total'],
    });
  });

  it('is named where it was there before', () => {
    const before = reading({ a: { values: { [GET_CART]: 7, [CART_200]: 7 } } });
    expect(prove(before, reading({ a: { values: { [CART_200]: 12 } } }), [cart()])).toMatchObject({
      verdict: 'impossible',
      obstacles: [`${GET_CART} of a is 7 less than before, without a restart`],
      notes: ['Prometheus has no http_requests_total', 'Prometheus has no http_errors_total'],
    });
  });

  it('leaves the proof inconclusive when it is the gauge, of one process already', () => {
    const counted = { [GET_CART]: 5, [CART_200]: 5, [ERRORS_404]: 0 };
    const both = reading({ a: { values: counted }, b: { values: {} } });
    const instances = both.instances.map((process, n) => (n === 0 ? process : { ...process, values: [] }));
    expect(prove(reading({}), { ...both, instances }, [cart()])).toMatchObject({
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
  const proofOf = (before: ReturnType<typeof one>[], after: ReturnType<typeof one>[]) =>
    prove({ askedAtSeconds: 0, instances: before }, { askedAtSeconds: 0, instances: after }, [cart()]);

  it('is known by all labels of its target, not by its instance alone', () => {
    const before = [one({ pod: 'x' }, 1, 100), one({ pod: 'y' }, 2, 200)];
    const after = [one({ pod: 'x' }, 1, 103), one({ pod: 'y' }, 2, 202)];
    expect(proofOf(before, after).verdict).toBe('proved');
    expect(proofOf(before, [one({ pod: 'x' }, 1, 105)]).obstacles).toEqual([
      'api {pod="y"} is gone, and what it had counted with it',
    ]);
  });

  it.each([
    [0.02, 'proved'],
    [-0.02, 'proved'],
    [1, 'impossible'],
  ])('whose start time is %s s later has the verdict %s', (later, verdict) => {
    expect(proofOf([one({}, 1000, 10)], [one({}, 1000 + later, 15)]).verdict).toBe(verdict);
  });

  it('with a value that is not a count makes the proof impossible, which names it', () => {
    const odd = {
      ...one({}, 1, 0),
      values: [{ metric: 'http_errors_total', labels: { code: '500' }, value: null }],
    };
    expect(proofOf([one({}, 1, 0)], [odd])).toMatchObject({
      verdict: 'impossible',
      obstacles: ['http_errors_total{code="500"} of api is not a count in Prometheus'],
    });
  });
});
