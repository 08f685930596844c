/** Durations come from a monotonic clock: setting the system clock does not change them. */
import { afterEach, expect, it, jest } from '@jest/globals';
import { startApp } from './harness.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

it.each([3_600_000, -7_200_000])(
  'measures the right duration when the clock is set by %d ms during a request',
  async (stepMs) => {
    const step = () => {
      const now = Date.now;
      jest.spyOn(Date, 'now').mockImplementation(() => now() + stepMs);
    };
    const app = await startApp((express) => {
      express.get('/', (_request, response) => {
        step();
        response.send('ok');
      });
    });
    await fetch(app.url);
    await app.settled(1);
    const [, seconds] =
      /^http_request_duration_seconds_sum\{.*code="200"\} (\S+)$/m.exec(await app.scrape()) ?? [];
    expect(Number(seconds)).toBeGreaterThan(0);
    expect(Number(seconds)).toBeLessThan(600);
    await app.close();
  },
);
