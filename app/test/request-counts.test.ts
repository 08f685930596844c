import { describe, expect, it } from '@jest/globals';
import {
  addRequest,
  createRequestCounts,
  type RequestCounts,
  type Series,
} from '../src/instrumentation/request-counts.ts';
import { createRequestSamples } from '../src/instrumentation/request-samples.ts';

function create(): { counts: RequestCounts; series: Series } {
  const counts = createRequestCounts([{ path: 'a', method: 'get', codes: [200] }], [0.1, 0.5]);
  return { counts, series: counts.routed[0] as Series };
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
    const { counts, series } = create();
    addRequest(counts, series, 200, seconds);
    const samples = createRequestSamples(counts, 'd').durations();
    const own = samples.filter(({ labels }) => labels.path === 'a' && labels.code === '200');
    expect(own.map(({ metricName, labels, value }) => [metricName, labels.le, value])).toEqual([
      ['d_bucket', 0.1, expected[0]],
      ['d_bucket', 0.5, expected[1]],
      ['d_bucket', '+Inf', expected[2]],
      ['d_sum', undefined, seconds],
      ['d_count', undefined, 1],
    ]);
  });

  it('add up to the two counters', () => {
    const { counts, series } = create();
    const unmatched = counts.unmatched.find(({ method }) => method === 'other') as Series;
    for (const code of [200, 200, 499, 500, 418, 304]) addRequest(counts, series, code, 0.2);
    for (const code of [404, 404, 405]) addRequest(counts, unmatched, code, 0.2);
    const samples = createRequestSamples(counts, 'd');
    expect(samples.requests()).toEqual([{ labels: { path: 'a', method: 'get' }, value: 6 }]);
    expect(samples.errors().map(({ labels, value }) => [labels.code, value])).toEqual([
      ['404', 2],
      ['405', 1],
      ['499', 1],
      ['4xx', 1],
      ['500', 1],
    ]);
  });

  it('count methods that only an unmatched request has as other', () => {
    expect(create().counts.unmatched.map(({ method }) => method)).toEqual(['get', 'other']);
  });
});
