/** The numbers that requests are added to, and what the metrics make of them. */
import { describe, expect, it } from '@jest/globals';
import { createRequestFamilies } from '../src/exposition/request-families.ts';
import {
  addRequest,
  createRow,
  expose,
  MAX_CODES,
  type RequestCounts,
  unmatchedRow,
} from '../src/recording/counts.ts';
import { createCounts, LABELS, NAMES } from './request-registry.ts';

const familiesOf = (counts: RequestCounts) => createRequestFamilies(counts, NAMES, LABELS, 160);

describe('the counted numbers', () => {
  it.each([
    [0, [1, 1, 1]],
    [0.1, [1, 1, 1]],
    [0.100001, [0, 1, 1]],
    [0.5, [0, 1, 1]],
    [0.6, [0, 0, 1]],
    [3_600, [0, 0, 1]],
  ])('put %d s into every bucket whose bound it does not exceed', (seconds, expected) => {
    const { counts, add } = createCounts();
    add(200, seconds);
    const samples = familiesOf(counts).durations().samples();
    const own = samples.filter(({ labels }) => labels?.path === 'a' && labels.code === '200');
    expect(own.map(({ metricName, labels, value }) => [metricName, labels?.le, value])).toEqual([
      [`${NAMES.duration}_bucket`, 0.1, expected[0]],
      [`${NAMES.duration}_bucket`, 0.5, expected[1]],
      [`${NAMES.duration}_bucket`, '+Inf', expected[2]],
      [`${NAMES.duration}_sum`, undefined, seconds],
      [`${NAMES.duration}_count`, undefined, 1],
    ]);
  });

  it('add up to the two counters', () => {
    const { counts, add } = createCounts({ declared: [200] });
    for (const code of [200, 200, 499, 500, 418, 304]) add(code, 0.2);
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
    expect([...createCounts().counts.unmatched.keys()]).toEqual(['get', 'other']);
  });
});

describe('the codes of a row', () => {
  it('are those declared, 499 and 500, and the classes of what is sent beside them', () => {
    const { row, add } = createCounts({ declared: [201, 422] });
    const codes = () => row.cells.map(({ code }) => code);
    expect(codes()).toEqual(['201', '422', '499', '500']);
    for (const code of [200, 204, 301, 404, 418, 503, 799, 99]) add(code, 0);
    expect(codes()).toEqual(['201', '422', '499', '500', '2xx', '3xx', '4xx', '5xx', '1xx']);
  });

  it('are shown as they occur where none were declared, up to a limit, and then their classes', () => {
    const { row, add } = createCounts();
    for (let code = 100; code <= 999; code++) add(code, 0);
    const codes = row.cells.map(({ code }) => code);
    expect(codes.slice(0, 3)).toEqual(['200', '499', '500']);
    expect(codes.filter((code) => !code.endsWith('xx'))).toHaveLength(MAX_CODES);
    expect(codes.filter((code) => code.endsWith('xx')).sort()).toEqual(['1xx', '2xx', '3xx', '4xx', '5xx']);
  });
});

describe('the rows', () => {
  it('are refused beyond their limit, which is told once', () => {
    let told = 0;
    const { counts } = createCounts({ maxRows: 2, onFull: () => void told++ });
    expect(expose(counts, createRow('b', 'get'))?.path).toBe('b');
    expect(expose(counts, createRow('c', 'get'))).toBeUndefined();
    expect(expose(counts, createRow('d', 'get'))).toBeUndefined();
    expect([...counts.routed.keys(), told]).toEqual(['get a', 'get b', 1]);
  });

  it('are one for the same path and method, and none for the label of unmatched requests', () => {
    const { counts, row } = createCounts();
    expect(expose(counts, createRow('a', 'get'))).toBe(row);
    expect(expose(counts, createRow('unmatched', 'get'))).toBeUndefined();
  });
});
