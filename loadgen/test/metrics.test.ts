/** Which metrics and labels are compared, and what remains undetected. */
import { describe, expect, it } from '@jest/globals';
import { blockOf } from '../../test/support/markdown.ts';
import { read } from '../../test/support/repository.ts';
import {
  labelsOf,
  type MetricsInput,
  metricsSchema,
  weaknessesOf,
  wholeCounterOf,
} from '../src/common/metrics.ts';
import { PRESETS } from '../src/common/presets.ts';
import { parsePattern } from '../src/pattern/pattern-file.ts';
import { detectMetrics } from '../src/verify/detect.ts';
import type { PrometheusReader } from '../src/verify/process.ts';
import { formatSeries } from '../src/verify/series.ts';
import { type Counts, cart, verifyBy } from './snapshots.ts';

const signal = new AbortController().signal;
const presetOf = (name: string) => metricsSchema.parse(PRESETS[name]?.variants[0]);

/** The result of detection in a Prometheus with these series: names with labels. */
function detect(series: readonly Record<string, string>[], names?: string[]) {
  const query = async () => series.map((labels) => ({ labels, value: 1 }));
  return detectMetrics({ prometheus: { query } as unknown as PrometheusReader, job: 'shop', signal }, names);
}

const TOTAL = 'http_requests_total';
const OTEL = 'http_server_request_duration_seconds_count';
const DURATIONS = 'http_request_duration_seconds_count';
const series = (name: string, labels: Record<string, string>) => ({ __name__: name, ...labels });

describe('detected metrics', () => {
  it.each<[string, Record<string, string>[], string]>([
    [
      'express-exact-metrics',
      [
        series('http_requests_total', { path: '/a', method: 'get' }),
        series('http_errors_total', { code: '404' }),
        series(DURATIONS, { path: '/a', method: 'get', code: '200' }),
      ],
      'http_requests_total by path, method, http_errors_total by code, http_request_duration_seconds_count by path, method, code',
    ],
    ['express-prom-bundle', [series(DURATIONS, { status_code: '200' })], `${DURATIONS} by status_code`],
    [
      'fastify-metrics',
      [series(DURATIONS, { route: '/a', method: 'GET', status_code: '200' })],
      `${DURATIONS} by route, method, status_code`,
    ],
    [
      'opentelemetry',
      // Before the first request with a route.
      [series(OTEL, { http_request_method: 'GET', http_response_status_code: '200' })],
      `${OTEL} by http_route, http_request_method, http_response_status_code`,
    ],
    ['promhttp', [series(TOTAL, { method: 'get', code: '200' })], `${TOTAL} by method, code`],
    [
      'rails_requests_total',
      [
        series('rails_requests_total', { http_method: 'get', status: '2xx', path: '/a' }),
        series('http_client_requests_total', { method: 'GET', code: '200' }),
        series('jobs_total', { method: 'run', status: '200' }),
      ],
      'rails_requests_total by path, http_method, status',
    ],
  ])('%s are found by their labels', async (name, present, counters) => {
    expect((await detect(present))?.reason).toBe(`${name} (${counters})`);
  });

  it('of no preset use the spelling of Prometheus', async () => {
    const found = await detect([series('rails_requests_total', { http_method: 'get', status: '2xx' })]);
    expect(found?.metrics.counters[0]).toMatchObject({ methodCase: 'lower', codeAs: 'class' });
  });

  it('are refused if two fit equally, and undefined if none fits', async () => {
    const two = ['a_requests_total', 'b_requests_total'].map((name) =>
      series(name, { method: 'GET', code: '200' }),
    );
    await expect(detect(two)).rejects.toThrow(
      '--metrics: a_requests_total and b_requests_total fit job "shop" equally; expected one of them by name',
    );
    expect(await detect([series('up_total', { method: 'GET' })])).toBeUndefined();
    expect(await detect(two, ['express-prom-bundle'])).toBeUndefined();
  });
});

describe('a request', () => {
  const user = { route: '/users/:id', method: 'HEAD', code: '201' };
  const unrouted = { route: '', method: 'GET', code: '404' };
  const otel = { http_request_method: 'HEAD', http_response_status_code: '201' };
  it.each([
    ['express-exact-metrics', user, { path: '/users/:id', method: 'get', code: '201' }],
    ['opentelemetry', user, { http_route: '/users/:id', ...otel }],
    ['starlette', user, { handler: '/users/:id', method: 'HEAD', status: '2xx' }],
    ['promhttp', user, { method: 'head', code: '201' }],
    ['prometheus-api-metrics', unrouted, { route: 'N/A', method: 'GET', code: '404' }],
    ['opentelemetry', unrouted, { http_request_method: 'GET', http_response_status_code: '404' }],
  ])('has the labels of %s: %j', (name, request, labels) => {
    const metrics = presetOf(name);
    const counter = wholeCounterOf(metrics);
    expect(counter && labelsOf(counter, metrics, request)).toEqual(labels);
  });
});

describe('a counter that lacks a dimension', () => {
  const sent = [cart(), cart({ route: '/users/:id', method: 'POST', answered: { 201: 2 } })];
  const GET = 'requests_total{method="GET",code="200"}';
  const POST = 'requests_total{method="POST",code="201"}';
  it.each<[string, Partial<MetricsInput['counters'][number]>, Counts, string[]]>([
    ['of routes', { method: 'method', code: 'code' }, { [GET]: 5, [POST]: 2 }, ['route']],
    ['of all', {}, { requests_total: 7 }, ['route', 'method', 'code']],
  ])('%s is compared by sums, and undetectable mistakes are listed', (_, counter, counts, lacking) => {
    const { verdict, rows, notes } = verifyBy(counter, counts, sent);
    expect(verdict).toBe('verified');
    expect(Object.fromEntries(rows.map((row) => [formatSeries(row), row.counted]))).toEqual(counts);
    for (const label of lacking) expect(notes.join('\n')).toContain(`no counter has a ${label} label`);
  });

  it('has the necessary rows for targets that declare no route', () => {
    const undeclared = cart({ route: null });
    const series = 'requests_total{method="GET"}';
    const { verdict, rows } = verifyBy({ method: 'method' }, { [series]: 5 }, [undeclared]);
    expect([verdict, rows.map(formatSeries)]).toEqual(['verified', [series]]);
  });

  it('causes no note if no dimension is missing', () => {
    expect(weaknessesOf(presetOf('express-exact-metrics'))).toEqual([]);
  });
});

it('the mapping in the guide is valid', () => {
  const pattern = parsePattern('guide', blockOf(read('docs/verify-your-metrics.md'), 'yaml', 'counters:'));
  expect(pattern.metrics).toMatchObject({
    metrics: {
      counters: [
        { name: 'shop_requests_total', route: 'endpoint', method: 'verb', code: 'status', codeAs: 'class' },
        { name: 'shop_errors_total', code: 'status', codeAs: 'class', counts: 'errors' },
      ],
      unmatched: 'none',
    },
  });
});
