/** What is read of the durations that Prometheus holds, and what the run has added to them. */
import { describe, expect, it } from '@jest/globals';
import { type HistogramReader, readDurations } from '../src/proof/durations.ts';
import type { Reading } from '../src/proof/process.ts';
import type { Histogram } from '../src/proof/prometheus.ts';

const cart = { path: 'cart', method: 'get' };

/** A reading of instances that were scraped at these times. */
const readingOf = (scrapes: Record<string, number>): Reading => ({
  askedAtSeconds: 0,
  instances: Object.entries(scrapes).map(([instance, scrapedAtSeconds]) => ({
    instance,
    startTimeSeconds: 1,
    scrapedAtSeconds,
    values: [],
  })),
});

const native = (sum: number, ...buckets: Histogram['buckets'][number][]): Histogram => ({
  count: buckets.reduce((total, [, , count]) => total + count, 0),
  sum,
  buckets,
});

interface Held {
  readonly natives?: readonly (readonly [code: string, histogram: Histogram])[];
  readonly classics?: Readonly<Record<string, number>>;
}

/** A Prometheus that holds this of each instance, by `instance @ time`. */
function holding(held: Readonly<Record<string, Held>>): HistogramReader {
  const find = (expression: string) => {
    const [, instance, at] = /job="api",instance="(\w+)"} @ ([\d.]+)$/.exec(expression) ?? [];
    const found = held[`${instance} @ ${at}`];
    if (found === undefined) throw new Error(`nobody scraped ${expression}`);
    return found;
  };
  return {
    query: async (expression) =>
      Object.entries(find(expression).classics ?? {}).map(([name, value]) => {
        const [suffix = '', le] = name.split(' ');
        const labels = { ...cart, code: '200', __name__: `http_request_duration_seconds_${suffix}` };
        return { labels: le === undefined ? labels : { ...labels, le }, value };
      }),
    queryHistograms: async (expression) =>
      (find(expression).natives ?? []).map(([code, histogram]) => ({ labels: { ...cart, code }, histogram })),
  };
}

const read = (held: Readonly<Record<string, Held>>, before: Reading, after: Reading) =>
  readDurations(holding(held), before, after, 'api', new AbortController().signal);

describe('the durations of a run', () => {
  it('are what each instance has added between its scrapes, all codes and instances together', async () => {
    const held = {
      'a @ 10.5': { natives: [['200', native(1, [1, 2, 5])]] },
      'a @ 20.5': {
        natives: [
          ['200', native(4, [1, 2, 7], [4, 8, 1])],
          ['499', native(3, [2, 4, 1])],
        ],
      },
      // It came while the run went on.
      'b @ 21': { natives: [['200', native(2, [-0.5, 0.5, 1], [1, 2, 1])]] },
    } as const;
    expect(await read(held, readingOf({ a: 10.5 }), readingOf({ a: 20.5, b: 21 }))).toEqual({
      kind: 'native',
      series: [
        {
          ...cart,
          buckets: [
            { from: 0, to: 0.5, count: 1 },
            { from: 1, to: 2, count: 3 },
            { from: 2, to: 4, count: 1 },
            { from: 4, to: 8, count: 1 },
          ],
          count: 6,
          sumSeconds: 8,
        },
      ],
    });
  });

  it('are right where the buckets have become wider in between', async () => {
    const held = {
      'a @ 1': { natives: [['200', native(9, [1, 2, 2], [2, 4, 3])]] },
      'a @ 2': { natives: [['200', native(19, [1, 4, 7], [4, 16, 1])]] },
    } as const;
    const durations = await read(held, readingOf({ a: 1 }), readingOf({ a: 2 }));
    expect(durations?.series[0]?.buckets).toEqual([
      { from: 1, to: 4, count: 2 },
      { from: 4, to: 16, count: 1 },
    ]);
  });

  it('come from the classic buckets where there are no others', async () => {
    const held = {
      'a @ 1': { classics: { 'bucket 0.1': 1, 'bucket 0.25': 1, 'bucket +Inf': 2, sum: 3, count: 2 } },
      'a @ 2': { classics: { 'bucket 0.1': 2, 'bucket 0.25': 5, 'bucket +Inf': 6, sum: 4, count: 6 } },
    };
    expect(await read(held, readingOf({ a: 1 }), readingOf({ a: 2 }))).toEqual({
      kind: 'classic',
      series: [
        {
          ...cart,
          buckets: [
            { from: 0, to: 0.1, count: 1 },
            { from: 0.1, to: 0.25, count: 3 },
          ],
          count: 4,
          sumSeconds: 1,
        },
      ],
    });
  });

  it('are none where Prometheus has no such histogram, or nothing was added', async () => {
    expect(
      await read({ 'a @ 1': {}, 'a @ 2': {} }, readingOf({ a: 1 }), readingOf({ a: 2 })),
    ).toBeUndefined();
    const idle = { natives: [['200', native(1, [1, 2, 5])]] } as const;
    expect(
      await read({ 'a @ 1': idle, 'a @ 2': idle }, readingOf({ a: 1 }), readingOf({ a: 2 })),
    ).toBeUndefined();
  });
});
