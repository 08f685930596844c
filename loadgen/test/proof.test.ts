import { describe, expect, it } from '@jest/globals';
import type { Reading } from '../src/proof/process.ts';
import { mayHeal, prove } from '../src/proof/proof.ts';
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
    instance,
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
    expect(mayHeal(prove(before, readingWith({ b: counted(1) }, { a: counted(12) }, false), [cart()]))).toBe(
      true,
    );
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
  const healing = (values: Record<string, number>) =>
    mayHeal(prove(reading({ a: { values: {} } }), reading({ a: { values } }), [cart()]));

  it.each([
    ['may bring what is missing', { [GET_CART]: 3, [CART_200]: 3 }, true],
    ['may bring the gauge back to 0', { [GET_CART]: 5, [CART_200]: 5, inprogress_requests: 2 }, true],
    ['does not take away what is too much', { [GET_CART]: 6, [CART_200]: 3 }, false],
    ['has nothing to heal in a proof that holds', { [GET_CART]: 5, [CART_200]: 5 }, false],
  ])('%s', (_, values, expected) => {
    expect(healing(values)).toBe(expected);
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
  const tally = [cart(), cart({ series: null, answered: { 200: 2, 404: 1 } })];

  it('are proved in the totals', () => {
    const after = {
      a: { values: { [GET_CART]: 5, [POST_CART]: 2, [CART_200]: 7, [MISSING]: 1, [ERRORS_404]: 1 } },
    };
    const { verdict, rows } = prove(reading({ a: { values: {} } }), reading(after), tally);
    expect(verdict).toBe('proved');
    expect(rows.map(textRow).filter(({ series }) => series.includes('any other'))).toEqual([
      { series: 'http_requests_total{any other}', atLeast: 0, atMost: 3, counted: 2, difference: 0 },
      {
        series: 'http_request_duration_seconds_count{any other}',
        atLeast: 3,
        atMost: 3,
        counted: 3,
        difference: 0,
      },
    ]);
  });

  it('do not hide a request too many', () => {
    const after = { a: { values: { [GET_CART]: 5, [CART_200]: 9, [ERRORS_404]: 1 } } };
    expect(differing({ a: { values: {} } }, after, tally).wrong).toEqual({
      'http_request_duration_seconds_count{any other}': 1,
    });
  });
});
