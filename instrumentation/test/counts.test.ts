/** The numbers that requests are added to, and what the metrics make of them. */
import { describe, expect, it } from '@jest/globals';
import { createRequestFamilies, type RequestFamilies } from '../src/exposition/request-families.ts';
import {
  addRequest,
  addUnmatched,
  createRequestCounts,
  createRow,
  expose,
  initialise,
  MAX_CODES,
  type RequestCounts,
  type Row,
  unmatchedRow,
} from '../src/recording/counts.ts';

function create(declared?: readonly number[], maxRows = 10, onFull = () => undefined) {
  const counts = createRequestCounts({ bounds: [0.1, 0.5], maxRows, onFull });
  addUnmatched(counts, 'get');
  const row = expose(counts, createRow('a', 'get', declared)) as Row;
  initialise(row, counts.bounds);
  return { counts, row };
}

function familiesOf(counts: RequestCounts): RequestFamilies {
  return createRequestFamilies(
    counts,
    { requests: 'r', errors: 'e', inProgress: 'p', duration: 'd' },
    { path: 'path', method: 'method', code: 'code' },
    160,
  );
}

describe('the counted numbers', () => {
  it.each([
    [0, [1, 1, 1]],
    [0.1, [1, 1, 1]],
    [0.100001, [0, 1, 1]],
    [0.5, [0, 1, 1]],
    [0.6, [0, 0, 1]],
    [3_600, [0, 0, 1]],
  ])('put %d s into every bucket whose bound it does not exceed', (seconds, expected) => {
    const { counts, row } = create();
    addRequest(counts, row, 200, seconds);
    const samples = familiesOf(counts).durations().samples();
    const own = samples.filter(({ labels }) => labels?.path === 'a' && labels.code === '200');
    expect(own.map(({ metricName, labels, value }) => [metricName, labels?.le, value])).toEqual([
      ['d_bucket', 0.1, expected[0]],
      ['d_bucket', 0.5, expected[1]],
      ['d_bucket', '+Inf', expected[2]],
      ['d_sum', undefined, seconds],
      ['d_count', undefined, 1],
    ]);
  });

  it('add up to the two counters', () => {
    const { counts, row } = create([200]);
    for (const code of [200, 200, 499, 500, 418, 304]) addRequest(counts, row, code, 0.2);
    for (const code of [404, 404, 405]) addRequest(counts, unmatchedRow(counts, 'brew'), code, 0.2);
    const families = familiesOf(counts);
    expect(families.requests().samples()).toEqual([
      { labels: { path: 'a', method: 'get' }, value: 6, createdMs: expect.any(Number) },
    ]);
    expect(
      families
        .errors()
        .samples()
        .map(({ labels, value }) => [labels?.code, value]),
    ).toEqual([
      ['404', 2],
      ['405', 1],
      ['499', 1],
      ['4xx', 1],
      ['500', 1],
    ]);
  });

  it('count methods that only an unmatched request has as other', () => {
    expect([...create().counts.unmatched.keys()]).toEqual(['get', 'other']);
  });
});

describe('the codes of a row', () => {
  it('are those declared, 499 and 500, and the classes of what is sent beside them', () => {
    const { counts, row } = create([201, 422]);
    const codes = () => row.cells.map(({ code }) => code);
    expect(codes()).toEqual(['201', '422', '499', '500']);
    for (const code of [200, 204, 301, 404, 418, 503, 799, 99]) addRequest(counts, row, code, 0);
    expect(codes()).toEqual(['201', '422', '499', '500', '2xx', '3xx', '4xx', '5xx', '1xx']);
  });

  it('are shown as they occur where none were declared, up to a limit, and then their classes', () => {
    const { counts, row } = create();
    for (let code = 100; code <= 999; code++) addRequest(counts, row, code, 0);
    const codes = row.cells.map(({ code }) => code);
    expect(codes.slice(0, 3)).toEqual(['200', '499', '500']);
    expect(codes.filter((code) => !code.endsWith('xx'))).toHaveLength(MAX_CODES);
    expect(codes.filter((code) => code.endsWith('xx')).sort()).toEqual(['1xx', '2xx', '3xx', '4xx', '5xx']);
  });
});

describe('the rows', () => {
  it('are refused beyond their limit, which is told once', () => {
    let told = 0;
    const { counts } = create(undefined, 2, () => {
      told++;
      return undefined;
    });
    expect(expose(counts, createRow('b', 'get'))?.path).toBe('b');
    expect(expose(counts, createRow('c', 'get'))).toBeUndefined();
    expect(expose(counts, createRow('d', 'get'))).toBeUndefined();
    expect([...counts.routed.keys(), told]).toEqual(['get a', 'get b', 1]);
  });

  it('are one for the same path and method, and none for the label of unmatched requests', () => {
    const { counts, row } = create();
    expect(expose(counts, createRow('a', 'get'))).toBe(row);
    expect(expose(counts, createRow('unmatched', 'get'))).toBeUndefined();
  });
});
