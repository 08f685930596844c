/** The cells in which requests are counted. */
import { expect, it } from '@jest/globals';
import { addRequest, createRow, expose, MAX_CODES, unmatchedRow } from '../src/recording/counts.ts';
import { createRequestRegistry } from './request-registry.ts';

it.each([
  [0, [1, 0, 0]],
  [0.1, [1, 0, 0]],
  [0.100001, [0, 1, 0]],
  [0.5, [0, 1, 0]],
  [0.6, [0, 0, 1]],
  [3_600, [0, 0, 1]],
])('puts a duration of %d s in the first bucket whose bound it does not exceed', (seconds, expected) => {
  const { row, add } = createRequestRegistry();
  add(200, seconds);
  expect(row.cells[0]).toMatchObject({ code: '200', buckets: expected, sumSeconds: seconds });
});

it('exposes cells that add up to the two counters', async () => {
  const { registry, counts, add } = createRequestRegistry({ declared: [200] });
  for (const code of [200, 200, 499, 500, 418, 304]) add(code, 0.2);
  for (const code of [404, 404, 405]) addRequest(counts, unmatchedRow(counts, 'brew'), code, 0.2);
  expect([...counts.unmatched.keys()]).toEqual(['get', 'other']);
  const valuesOf = async (name: string) => (await registry.getSingleMetric(name)?.get())?.values;
  expect(await valuesOf('http_requests_total')).toEqual([
    { labels: { path: 'a', method: 'get' }, value: 6, createdMs: expect.any(Number) },
  ]);
  const errors = await valuesOf('http_errors_total');
  expect(errors?.map(({ labels, value }) => [labels.code, value])).toEqual([
    ['404', 2],
    ['405', 1],
    ['499', 1],
    ['4xx', 1],
    ['500', 1],
  ]);
});

it('gives a row its declared codes, 499 and 500, and the classes of other codes', () => {
  const { row, add } = createRequestRegistry({ declared: [201, 422] });
  const codes = () => row.cells.map(({ code }) => code);
  expect(codes()).toEqual(['201', '422', '499', '500']);
  for (const code of [200, 204, 301, 404, 418, 503, 799, 99]) add(code, 0);
  expect(codes()).toEqual(['201', '422', '499', '500', '2xx', '3xx', '4xx', '5xx', '1xx']);
});

it('shows undeclared codes as they occur, up to a limit, and then their classes', () => {
  const { row, add } = createRequestRegistry();
  for (let code = 100; code <= 999; code++) add(code, 0);
  const codes = row.cells.map(({ code }) => code);
  expect(codes.slice(0, 3)).toEqual(['200', '499', '500']);
  expect(codes.filter((code) => !code.endsWith('xx'))).toHaveLength(MAX_CODES);
  expect(codes.filter((code) => code.endsWith('xx')).sort()).toEqual(['1xx', '2xx', '3xx', '4xx', '5xx']);
});

it('has one row per path and method, and no route row for the label of unmatched requests', () => {
  const { counts, row } = createRequestRegistry();
  expect(expose(counts, createRow('a', 'get'))).toBe(row);
  expect(expose(counts, createRow('unmatched', 'get'))).toBeUndefined();
});
