/** Which exemplars are kept, and where they are exposed. */
import { describe, expect, it } from '@jest/globals';
import { Counter, Histogram, Registry } from '@prometheus-io/client';
import { RequestTotals } from '../src/cluster/request-totals.ts';
import { gather } from '../src/library.ts';
import { bucketOf } from '../src/recording/counts.ts';
import { type ExemplarSource, isLabelSet, keepExemplar } from '../src/recording/exemplars.ts';
import { exemplarsIn, idsIn } from './exemplars.ts';
import { type Message, messagesOf, textOf } from './expositions.ts';
import { reporting } from './reporting.ts';
import { createRequestRegistry } from './request-registry.ts';

/** A cell with a clock that the test controls. */
function recording(bounds: readonly number[] = [0.1, 1], hasNative = false) {
  const { add, counts, registry } = createRequestRegistry({ bounds, hasNative });
  let asked = 0;
  const source: ExemplarSource<string> = {
    started: () => undefined,
    labelsOf(id) {
      asked++;
      return id === '' ? undefined : { trace_id: id };
    },
  };
  return {
    counts,
    registry,
    asked: () => asked,
    end(id: string, seconds: number, endedMs: number, code = 200) {
      const [cell, bucket] = [add(code, seconds), bucketOf(bounds, seconds)];
      keepExemplar(source, cell, bounds, bucket, seconds, endedMs, id, undefined);
    },
    text: () => textOf(registry, 'openmetrics'),
  };
}

describe('a bucket', () => {
  it('takes the first request of each second and reads no other labels', async () => {
    const { end, text, asked } = recording();
    for (const [id, endedMs] of [
      ['first', 0],
      ['second', 999],
      ['third', 1_000],
      ['fourth', 1_999],
    ] as const) {
      end(id, 0.5, endedMs);
      expect(idsIn(await text())).toEqual([endedMs < 1_000 ? 'first' : 'third']);
    }
    expect(asked()).toBe(2);
  });

  it('does not wait for a second after a request without labels', async () => {
    const { end, text } = recording();
    end('', 0.5, 0);
    end('sampled', 0.5, 1);
    expect(idsIn(await text())).toEqual(['sampled']);
  });

  it('has its own exemplar, and an error counter has the newest of all buckets', async () => {
    const { end, text } = recording();
    end('quick', 0.05, 0, 500);
    end('slow', 0.7, 1, 500);
    end('slowest', 7, 2, 500);
    const exemplars = exemplarsIn(await text());
    const bucket = (le: string) =>
      `http_request_duration_seconds_bucket{path="a",method="get",code="500",le="${le}"}`;
    expect(exemplars).toEqual({
      [bucket('0.1')]: '{trace_id="quick"}',
      [bucket('1.0')]: '{trace_id="slow"}',
      [bucket('+Inf')]: '{trace_id="slowest"}',
      'http_errors_total{code="500"}': '{trace_id="slowest"}',
    });
  });

  it('keeps the exemplars of a scrape until it is written', async () => {
    const { end, registry, text } = recording();
    end('first', 0.5, 0);
    const seen = await gather(registry);
    end('later', 0.5, 5_000);
    expect(idsIn(await textOf(seen, 'openmetrics'))).toEqual(['first']);
    expect(idsIn(await text())).toEqual(['later']);
    const protobuf = JSON.stringify(await messagesOf(seen, true));
    expect(protobuf).toContain('first');
    expect(protobuf).not.toContain('later');
  });
});

describe('protobuf, read with the official schema', () => {
  const metricsOf = async ({ registry }: ReturnType<typeof recording>, family: string, withNative: boolean) =>
    (await messagesOf(registry, withNative)).find(({ name }) => name === family)?.metric as Message[];
  const histogramOf = async (record: ReturnType<typeof recording>, withNative: boolean) => {
    const metrics = (await metricsOf(record, 'http_request_duration_seconds', withNative)) as {
      histogram: Message;
    }[];
    return metrics.find(({ histogram }) => histogram.sampleCount === 2)?.histogram as Message;
  };
  const idOf = (exemplar: unknown) =>
    (exemplar as { label?: { value: string }[] } | undefined)?.label?.[0]?.value;

  it.each([false, true])(
    'has exemplars at classic buckets and, with native histograms, also there (%p)',
    async (withNative) => {
      const record = recording([0.1, 1], true);
      record.end('quick', 0.05, 0);
      record.end('slow', 0.7, 0);
      const { bucket, exemplars } = await histogramOf(record, withNative);
      expect((bucket as { exemplar?: object }[]).map(({ exemplar }) => idOf(exemplar))).toEqual([
        'quick',
        'slow',
        undefined,
      ]);
      expect((exemplars as object[] | undefined)?.map(idOf)).toEqual(
        withNative ? ['quick', 'slow'] : undefined,
      );
      const [first] = bucket as [{ exemplar: Message & { timestamp: { seconds: number } } }];
      expect(first.exemplar).toEqual({
        label: [{ name: 'trace_id', value: 'quick' }],
        value: 0.05,
        timestamp: { seconds: expect.any(Number), nanos: expect.any(Number) },
      });
      expect(Math.abs(first.exemplar.timestamp.seconds - Date.now() / 1000)).toBeLessThan(60);
    },
  );

  it('has an exemplar for each power of two without classic buckets', async () => {
    const record = recording([], true);
    record.end('quick', 0.05, 0);
    record.end('slow', 0.7, 0);
    const { bucket, exemplars } = await histogramOf(record, true);
    expect((exemplars as object[]).map(idOf)).toEqual(['quick', 'slow']);
    expect(bucket).toEqual([{ cumulativeCount: 2, upperBound: Number.POSITIVE_INFINITY }]);
  });

  it('has the exemplar of an error', async () => {
    const record = recording();
    record.end('failed', 0.5, 0, 503);
    const errors = (await metricsOf(record, 'http_errors_total', false)) as { counter: Message }[];
    const found = errors.find(({ counter }) => counter.value === 1);
    expect(idOf(found?.counter.exemplar)).toBe('failed');
  });
});

describe('labels', () => {
  it.each<[string, unknown, boolean]>([
    ['of 128 characters', { trace_id: 'a'.repeat(120) }, true],
    ['of 129 characters', { trace_id: 'a'.repeat(121) }, false],
    ['of 128 characters of two units each', { id: '𝛼'.repeat(126) }, true],
    ['of 129 characters of two units each', { id: '𝛼'.repeat(127) }, false],
    ['of 128 characters in two labels', { a: 'a'.repeat(63), b: 'b'.repeat(63) }, true],
    ['with a number', { user: 7 }, true],
    ['with a value of another type', { user: { id: 7 } }, false],
    ['with an invalid name', { 'trace-id': 'a' }, false],
    ['without entries', {}, false],
    ['as text', 'trace_id', false],
    ['that are null', null, false],
  ])('%s: %#', (_name, labels, isValid) => {
    expect(isLabelSet(labels)).toBe(isValid);
  });
});

describe('user-defined metrics with enableExemplars', () => {
  const registry = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const registers = [registry];
  const own = { help: 'h', enableExemplars: true, labelNames: ['job'], registers };
  new Counter({ ...own, name: 'jobs_total' }).inc({ value: 2, labels: {}, exemplarLabels: { job: 'a' } });
  const histogram = new Histogram({ ...own, name: 'wait', buckets: [1] });
  histogram.observe({ value: 0.5, labels: {}, exemplarLabels: { job: 'b' } });
  histogram.observe({ value: 5, labels: {}, exemplarLabels: { job: 'c' } });

  it('are exposed with their exemplars', async () => {
    expect(exemplarsIn(await textOf(registry, 'openmetrics'))).toEqual({
      jobs_total: '{job="a"}',
      'wait_bucket{le="1.0"}': '{job="b"}',
      'wait_bucket{le="+Inf"}': '{job="c"}',
    });
    const decoded = JSON.stringify(await messagesOf(registry));
    for (const value of ['a', 'b', 'c'])
      expect(decoded).toContain(`"label":[{"name":"job","value":"${value}"}]`);
    expect(await textOf(registry)).not.toContain('job=');
  });

  it.each<[string, unknown]>([
    ['labels that are too long', { labelSet: { job: 'a'.repeat(129) }, value: 1, timestamp: 1 }],
    ['no time', { labelSet: { job: 'a' }, value: 1 }],
    ['no value', { labelSet: { job: 'a' }, timestamp: 1 }],
    ['text', 'exemplar'],
  ])('omit exemplars that scrapers would not accept: %s', async (_name, exemplar) => {
    const family = {
      name: 'x_total',
      help: 'x',
      type: 'counter',
      values: [{ labels: {}, value: 1, exemplar }],
    };
    expect(await textOf([family], 'openmetrics')).toContain('\nx_total 1\n');
  });

  it('have no exemplars on a gauge', async () => {
    const exemplar = { labelSet: { job: 'a' }, value: 1, timestamp: 1 };
    const family = { name: 'x', help: 'x', type: 'gauge', values: [{ labels: {}, value: 1, exemplar }] };
    expect(await textOf([family], 'openmetrics')).toContain('\nx 1\n');
  });
});

describe('the exemplar of a primary', () => {
  it('is the newest of all workers', async () => {
    const totals = new RequestTotals(() => undefined);
    const [one, other] = [recording(), recording()];
    const workers = [one, other].map(({ counts }) => reporting(totals, counts));
    one.end('old', 0.5, 0, 500);
    other.end('slow', 7, 0, 500);
    for (const { report } of workers) expect(report().exemplars).toHaveLength(1);
    other.end('new', 0.5, 0, 500);
    for (const { report } of workers) report();
    expect(workers[1]?.report().exemplars).toEqual([]);
    const text = await textOf(await totals.read(), 'openmetrics');
    expect(new Set(idsIn(text))).toEqual(new Set(['new', 'slow']));
  });
});
