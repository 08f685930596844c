import { describe, expect, it } from '@jest/globals';
import { createSimulation } from '../src/simulation.ts';
import { startApp } from './harness.ts';

describe('the simulation', () => {
  it('is absent when there is nothing to simulate', () => {
    expect(createSimulation({ latencyMs: [{ min: 0, max: 0, weight: 1 }], errorRatio: 0 })).toBeUndefined();
  });

  it.each([
    [0, 0.049, { delayMs: 20, fails: true }],
    [0.5, 0.05, { delayMs: 110, fails: false }],
    [0.999, 0.9, { delayMs: 199.82, fails: false }],
  ])('draws delay and failure from its randomness (%d, %d)', (first, second, expected) => {
    const draws = [first, second];
    const simulate = createSimulation(
      { latencyMs: [{ min: 20, max: 200, weight: 1 }], errorRatio: 0.05 },
      () => draws.shift() ?? 0,
    );
    expect(simulate?.()).toEqual(expected);
  });

  it('draws from several ranges as often as their weights say', () => {
    const latencyMs = [
      { min: 2, max: 10, weight: 9 },
      { min: 80, max: 120, weight: 1 },
    ];
    const draws = [0, 0.45, 0.8999, 0.9, 0.95, 0.9999];
    let drawn = 0;
    const simulate = createSimulation({ latencyMs, errorRatio: 0 }, () => draws[drawn >> 1] ?? 0);
    const delays = draws.map(() => {
      const { delayMs } = simulate?.() ?? { delayMs: Number.NaN };
      drawn += 2;
      return Math.round(delayMs * 100) / 100;
    });
    expect(delays).toEqual([2, 6, 10, 80, 100, 119.96]);
  });

  it('fails and delays routed requests only, and they are counted as what they became', async () => {
    const outcomes = [
      { delayMs: 0, fails: true },
      { delayMs: 2, fails: true },
      { delayMs: 2, fails: false },
      { delayMs: 0, fails: false },
    ];
    const app = await startApp({ simulation: () => outcomes.shift() ?? { delayMs: 0, fails: true } });
    try {
      const statuses = [];
      for (const path of ['/cart', '/cart', '/cart', '/missing', '/cart']) {
        statuses.push((await fetch(app.url + path)).status);
      }
      expect(statuses).toEqual([500, 500, 200, 404, 200]);
      const counted = [
        ...(await app.scrape('http_request_duration_seconds')).matchAll(/_count\{(.*)\} ([1-9]\d*)$/gm),
      ];
      expect(counted.map(([, labels, count]) => [labels, count])).toEqual([
        ['path="cart",method="get",code="200"', '2'],
        ['path="cart",method="get",code="500"', '2'],
        ['path="unmatched",method="get",code="404"', '1'],
      ]);
    } finally {
      await app.close();
    }
  });
});
