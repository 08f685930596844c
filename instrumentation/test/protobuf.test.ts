/** The protobuf exposition of everything that a registry can contain, read by an independent decoder. */
import { describe, expect, it } from '@jest/globals';
import { Counter, Gauge, Histogram, Registry, Summary } from '@prometheus-io/client';
import type { Family } from '../src/exposition/family.ts';
import { type Message, messagesOf } from './expositions.ts';
import { createRequestRegistry } from './request-registry.ts';

const createNative = () => createRequestRegistry({ bounds: [0.25, 1], declared: [200], hasNative: true });

const labelsOf = (own: Record<string, string>) =>
  Object.entries(own).map(([name, value]) => ({ name, value }));

const family = (name: string, help: string, type: string, ...metric: object[]) => ({
  name,
  help,
  type,
  metric,
});

/** Buckets from cumulative counts by upper bound. */
const pointsOf = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts)
    .map(([bound, cumulativeCount]) => ({ upperBound: Number(bound), cumulativeCount }))
    .sort((a, b) => a.upperBound - b.upperBound);

/** The only metric of a family whose labels include these. */
function find(families: Message[], wantedName: string, own: Record<string, string>): Message {
  const metrics = families.find(({ name }) => name === wantedName)?.metric as { label: unknown }[];
  const found = metrics.filter(({ label }) =>
    labelsOf(own).every((wanted) =>
      (label as unknown[]).some((one) => JSON.stringify(one) === JSON.stringify(wanted)),
    ),
  );
  expect(found).toHaveLength(1);
  return found[0] as unknown as Message;
}

const cell = { path: 'a', method: 'get', code: '200' };
const histogramIn = (families: Message[]) =>
  find(families, 'http_request_duration_seconds', cell).histogram as Message;

describe('the families of the client library', () => {
  it('are complete, field by field', async () => {
    const registry = new Registry();
    const registers = [registry];
    const awkward = 'quo"te\\back\nline €';
    new Counter({ name: 'jobs_total', help: awkward, labelNames: ['kind', 'none'], registers }).inc(
      { kind: awkward, none: '' },
      2,
    );
    const gauge = new Gauge({ name: 'level', help: 'Level', labelNames: ['where'], registers });
    gauge.set({ where: 'up' }, Number.POSITIVE_INFINITY);
    gauge.set({ where: 'nowhere' }, Number.NaN);
    gauge.set({ where: 'below' }, -1.5e-7);
    new Gauge({ name: 'bare', help: 'b', registers }).set(0);
    const labelNames = ['quantile'];
    const histogram = new Histogram({ name: 'wait', help: 'w', labelNames, buckets: [0.5, 1], registers });
    histogram.observe({ quantile: 'a label like any other' }, 0.7);
    histogram.observe({ quantile: 'b' }, 0.2);
    histogram.observe({ quantile: 'b' }, 7);
    new Summary({ name: 'size', help: 's', percentiles: [0.5, 1], registers }).observe(3);
    const { POSITIVE_INFINITY, NaN: notANumber } = Number;
    expect(await messagesOf(registry)).toEqual([
      family('jobs_total', awkward, 'COUNTER', { label: labelsOf({ kind: awkward }), counter: { value: 2 } }),
      family(
        'level',
        'Level',
        'GAUGE',
        { label: labelsOf({ where: 'up' }), gauge: { value: POSITIVE_INFINITY } },
        { label: labelsOf({ where: 'nowhere' }), gauge: { value: notANumber } },
        { label: labelsOf({ where: 'below' }), gauge: { value: -1.5e-7 } },
      ),
      family('bare', 'b', 'GAUGE', { gauge: { value: 0 } }),
      family(
        'wait',
        'w',
        'HISTOGRAM',
        {
          label: labelsOf({ quantile: 'a label like any other' }),
          histogram: { sampleCount: 1, sampleSum: 0.7, bucket: pointsOf({ 0.5: 0, 1: 1, Infinity: 1 }) },
        },
        {
          label: labelsOf({ quantile: 'b' }),
          histogram: { sampleCount: 2, sampleSum: 7.2, bucket: pointsOf({ 0.5: 1, 1: 1, Infinity: 2 }) },
        },
      ),
      family('size', 's', 'SUMMARY', {
        summary: {
          sampleCount: 1,
          sampleSum: 3,
          quantile: [0.5, 1].map((quantile) => ({ quantile, value: 3 })),
        },
      }),
    ]);
  });

  it('have the labels that the registry adds to all series, like ours', async () => {
    const { registry, add } = createNative();
    registry.setDefaultLabels({ zone: 'b' });
    new Gauge({ name: 'bare', help: 'b', registers: [registry] }).set(1);
    add(200, 0.5);
    const families = await messagesOf(registry, true);
    find(families, 'bare', { zone: 'b' });
    find(families, 'http_requests_total', { path: 'a', method: 'get', zone: 'b' });
    const { histogram } = find(families, 'http_request_duration_seconds', { ...cell, zone: 'b' });
    expect(histogram).toMatchObject({ sampleCount: 1, schema: 4, positiveDelta: [1] });
  });

  it('may contain fractional counts, unknown types, and numbers beyond the exact range', async () => {
    const values = [
      { metricName: 'h_bucket', labels: { le: '+Inf' }, value: 2.5 },
      { metricName: 'h_sum', value: 1 },
      { metricName: 'h_count', value: 2.5 },
    ];
    const families: Family[] = [
      { name: 'h', help: '', type: 'histogram', values },
      { name: 'x', help: 'x', type: 'stateset', values: [{ value: 3 }] },
      { name: 's', help: 's', type: 'summary', values: [{ metricName: 's_count', value: 1e300 }] },
      { name: 'none', help: 'n', type: 'gauge', values: [] },
      { name: 'large_total', help: 'l', type: 'counter', values: [{ value: 2 ** 60 }] },
    ];
    const { MAX_SAFE_INTEGER, POSITIVE_INFINITY } = Number;
    const bucket = [{ cumulativeCountFloat: 2.5, upperBound: POSITIVE_INFINITY }];
    expect(await messagesOf(families, true)).toEqual([
      family('h', '', 'HISTOGRAM', { histogram: { sampleCountFloat: 2.5, sampleSum: 1, bucket } }),
      family('x', 'x', 'UNTYPED', { untyped: { value: 3 } }),
      family('s', 's', 'SUMMARY', { summary: { sampleCount: MAX_SAFE_INTEGER, sampleSum: 0 } }),
      { name: 'none', help: 'n', type: 'GAUGE' },
      family('large_total', 'l', 'COUNTER', { counter: { value: 2 ** 60 } }),
    ]);
  });
});

describe('the request metrics', () => {
  it('have native and classic buckets of the same requests, and their start time', async () => {
    const beforeMs = Date.now();
    const { registry, add } = createNative();
    const afterMs = Date.now();
    for (const seconds of [0, 0.25, 0.25, 0.26, 3_600, 1e9]) add(200, seconds);
    const families = await messagesOf(registry, true);
    const { createdTimestamp, ...counted } = histogramIn(families);
    expect(counted).toEqual({
      sampleCount: 6,
      sampleSum: 1e9 + 3_600.76,
      bucket: pointsOf({ 0.25: 3, 1: 4, Infinity: 6 }),
      schema: 4,
      zeroThreshold: 2 ** -17,
      zeroCount: 1,
      // 0.25 s is bucket -32, and 0.26 s the next one; 3,600 s is bucket ceil(16 log2(3600)) = 190, and 2^15 s is 240.
      positiveSpan: [
        { offset: -32, length: 2 },
        { offset: 190 + 30, length: 1 },
        { offset: 240 - 191, length: 1 },
      ],
      positiveDelta: [2, -1, 0, 0],
    });
    const { seconds, nanos } = createdTimestamp as { seconds: number; nanos: number };
    const createdMs = seconds * 1000 + nanos / 1e6;
    expect(createdMs).toBeGreaterThanOrEqual(beforeMs);
    expect(createdMs).toBeLessThanOrEqual(afterMs);
    expect(find(families, 'http_requests_total', { path: 'a', method: 'get' })).toMatchObject({
      counter: { value: 6, createdTimestamp },
    });
  });

  it('have only classic buckets for a scrape that does not ask for native histograms', async () => {
    const { registry, add } = createNative();
    add(200, 0.5);
    await messagesOf(registry, true);
    expect(Object.keys(histogramIn(await messagesOf(registry, false))).sort()).toEqual([
      'bucket',
      'createdTimestamp',
      'sampleCount',
      'sampleSum',
    ]);
  });

  it('allocate the native numbers of a cell with its first request', () => {
    const { row, add } = createNative();
    add(200, 0.1);
    expect(row.cells.map(({ code, native }) => [code, native?.length])).toEqual([
      ['200', 1 + 32 * 16],
      ['499', undefined],
      ['500', undefined],
    ]);
  });
});
