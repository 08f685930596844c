import { describe, expect, it } from '@jest/globals';
import type { Sample } from '../src/proof/prometheus.ts';
import { type PrometheusReader, sumOf, takeReading, takeSettledReading } from '../src/proof/reading.ts';
import { valuesOf } from './series-text.ts';

interface Instance {
  up?: number;
  scrapedAt: number;
  start?: number;
  counted?: number;
}

/** A Prometheus whose clock stands at 1000 s and whose targets are what `stateOf` says when it is asked the n-th time. */
function createPrometheus(
  stateOf: (poll: number) => Record<string, Instance>,
): PrometheusReader & { polls: number } {
  return {
    url: 'http://prometheus:9090',
    polls: -1,
    time: async () => 1000,
    async query(expression) {
      if (expression.startsWith('up{')) this.polls++;
      const rows = Object.entries(stateOf(Math.max(0, this.polls)));
      return rows.flatMap(([instance, state]): Sample[] => {
        const sample = (value: number, labels = {}) => ({
          labels: { instance, job: 'api', ...labels },
          value,
        });
        if (expression.startsWith('timestamp(')) return [sample(state.scrapedAt)];
        if (expression.startsWith('up{')) return [sample(state.up ?? 1)];
        const start =
          state.start === undefined ? [] : [sample(state.start, { __name__: 'process_start_time_seconds' })];
        const labels = { __name__: 'http_requests_total', path: 'cart', method: 'get', namespace: 'shop' };
        return [sample(1, { __name__: 'up' }), ...start, sample(state.counted ?? 0, labels)];
      });
    },
  };
}

const options = { job: 'api', waitMs: 2000, signal: new AbortController().signal };

describe('a reading', () => {
  it('waits until every target was scraped after it was asked for, on the clock of Prometheus', async () => {
    const states = [
      { a: { scrapedAt: 999, start: 1 }, b: { scrapedAt: 998, start: 2 } },
      { a: { scrapedAt: 1004, start: 1 }, b: { scrapedAt: 998, start: 2 } },
      { a: { scrapedAt: 1004, start: 1, counted: 7 }, b: { scrapedAt: 1003, start: 2, counted: 5 } },
    ];
    const prometheus = createPrometheus((poll) => states[poll] ?? {});
    const reading = await takeReading(prometheus, options);
    expect(prometheus.polls).toBe(2);
    expect(reading).toEqual({
      askedAtSeconds: 1000,
      instances: [
        {
          instance: 'a',
          startTimeSeconds: 1,
          scrapedAtSeconds: 1004,
          values: valuesOf({ 'http_requests_total{path="cart",method="get"}': 7 }),
        },
        {
          instance: 'b',
          startTimeSeconds: 2,
          scrapedAtSeconds: 1003,
          values: valuesOf({ 'http_requests_total{path="cart",method="get"}': 5 }),
        },
      ],
    });
    expect(sumOf(reading, 'http_requests_total')).toBe(12);
  });

  it('does not trust a scrape that Prometheus may have dated forward', async () => {
    const prometheus = createPrometheus((poll) => ({
      a: { scrapedAt: poll === 0 ? 1000.002 : 1005, start: 1 },
    }));
    await takeReading(prometheus, options);
    expect(prometheus.polls).toBe(1);
  });

  it.each([
    ['no target is known', {}, 'it knows no target of job "api" yet'],
    ['a target is down', { a: { up: 0, scrapedAt: 1005 } }, 'a is down (up = 0)'],
    ['nothing is scraped', { a: { scrapedAt: 900 } }, 'the next scrape of a'],
  ])('says what was waited for when %s', async (_, state, reason) => {
    const waited: string[] = [];
    const brief = { ...options, waitMs: 150, onWait: (why: string) => waited.push(why) };
    await expect(
      takeReading(
        createPrometheus(() => state),
        brief,
      ),
    ).rejects.toThrow(
      `Prometheus at http://prometheus:9090 got no new scrape of the API within 0.15 s: ${reason}`,
    );
    expect(waited).toEqual([reason]);
  });

  it('is refused where restarts could not be told', async () => {
    const prometheus = createPrometheus(() => ({ a: { scrapedAt: 1005 } }));
    await expect(takeReading(prometheus, options)).rejects.toThrow(
      'a of job "api" in Prometheus has no process_start_time_seconds',
    );
  });

  it('can be given up', async () => {
    const controller = new AbortController();
    const waiting = takeReading(
      createPrometheus(() => ({})),
      { ...options, signal: controller.signal },
    );
    controller.abort();
    await expect(waiting).rejects.toThrow('aborted');
  });
});

it('a reading after traffic is taken again while something is missing', async () => {
  const prometheus = createPrometheus((poll) => ({ a: { scrapedAt: 1005, start: 1, counted: poll } }));
  const reading = await takeSettledReading(
    prometheus,
    options,
    (now) => sumOf(now, 'http_requests_total') < 3,
  );
  expect(sumOf(reading, 'http_requests_total')).toBe(3);
});
