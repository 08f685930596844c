import { describe, expect, it } from '@jest/globals';
import { createSimulation } from '../src/simulation.ts';
import { start, statusOf } from './harness.ts';

const one = (min: number, max: number, weight = 1) => ({ min, max, weight });

describe('the simulation', () => {
  it('is undefined if there is nothing to simulate', () => {
    expect(createSimulation([one(0, 0)], 0)).toBeUndefined();
  });

  it.each([
    [0, 0.049, { delayMs: 20, fails: true }],
    [0.5, 0.05, { delayMs: 110, fails: false }],
    [0.999, 0.9, { delayMs: 199.82, fails: false }],
  ])('draws delay and failure from its randomness (%d, %d)', (first, second, expected) => {
    const draws = [first, second];
    const simulate = createSimulation([one(20, 200)], 0.05, () => draws.shift() ?? 0);
    expect(simulate?.()).toEqual(expected);
  });

  it.each([
    [0, 2],
    [0.45, 6],
    [0.8999, 10],
    [0.9, 80],
    [0.95, 100],
    [0.9999, 119.96],
  ])('draws from several ranges in proportion to their weights (%d)', (drawn, delayMs) => {
    const simulate = createSimulation([one(2, 10, 9), one(80, 120)], 0, () => drawn);
    expect(simulate?.().delayMs).toBeCloseTo(delayMs, 2);
  });

  it.each([
    ['2', '0', 200],
    ['0', '1', 500],
    ['2', '1', 500],
  ])('delays requests to routes by %s ms and fails a share of %s, counted as %i', async (ms, ratio, code) => {
    const app = await start({ SIMULATED_LATENCY_MS: ms, SIMULATED_ERROR_RATIO: ratio });
    const paths = ['/cart', '/missing', '/cart'];
    expect(await Promise.all(paths.map((path) => statusOf(app.api + path)))).toEqual([code, 404, code]);
    const text = await app.scrape('http_request_duration_seconds');
    const counted = [...text.matchAll(/_count\{(.*)\} ([1-9]\d*)$/gm)].map(([, labels, n]) => [labels, n]);
    expect(counted).toEqual([
      [`path="cart",method="get",code="${code}"`, '2'],
      ['path="unmatched",method="get",code="404"', '1'],
    ]);
  });
});
