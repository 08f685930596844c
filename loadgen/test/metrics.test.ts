/** Which metrics are compared, by which of their labels, and what that leaves open. */
import { describe, expect, it } from '@jest/globals';
import { labelsOf, type MetricsInput, metricsSchema, weaknessesOf } from '../src/common/metrics.ts';
import { PRESETS } from '../src/common/presets.ts';
import { describeVerification } from '../src/verify/description.ts';
import { detectMetrics } from '../src/verify/detect.ts';
import type { ExpectedCount } from '../src/verify/expected-counts.ts';
import { formatRowName } from '../src/verify/rows.ts';
import { verify } from '../src/verify/verification.ts';
import { type Counts, cart, snapshotOf } from './snapshots.ts';

const signal = new AbortController().signal;
const presetOf = (name: string) => metricsSchema.parse(PRESETS[name]?.variants[0]);

/** What detection finds in a Prometheus that has these series: names with labels. */
function detect(series: readonly Record<string, string>[], names?: string[]) {
  const query = async () => series.map((labels) => ({ labels, value: 1 }));
  return detectMetrics({ query }, 'shop', signal, names);
}

const DURATIONS = 'http_request_duration_seconds_count';
const series = (name: string, labels: Record<string, string>) => ({ __name__: name, ...labels });

describe('metrics that are looked for', () => {
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
      [
        series('http_server_request_duration_seconds_count', {
          http_request_method: 'GET',
          http_response_status_code: '200',
        }),
      ],
      'http_server_request_duration_seconds_count by http_route, http_request_method, http_response_status_code',
    ],
    [
      'promhttp',
      [series('http_requests_total', { method: 'get', code: '200' })],
      'http_requests_total by method, code',
    ],
    [
      'rails_requests_total',
      [
        series('rails_requests_total', { http_method: 'get', status: '2xx', path: '/a' }),
        series('http_client_requests_total', { method: 'GET', code: '200' }),
        series('jobs_total', { method: 'run', status: 'failed' }),
      ],
      'rails_requests_total by path, http_method, status',
    ],
  ])('%s are found by their labels', async (name, present, counters) => {
    expect((await detect(present))?.reason).toBe(`${name} (${counters})`);
  });

  it('that no preset has are spelled as Prometheus has them', async () => {
    const found = await detect([series('rails_requests_total', { http_method: 'get', status: '2xx' })]);
    expect(found?.metrics.counters[0]).toMatchObject({ methodCase: 'lower', codeAs: 'class' });
  });

  it('are refused where two fit equally, and not there where nothing does', async () => {
    const two = ['a_total', 'b_total'].map((name) => series(name, { method: 'GET', code: '200' }));
    await expect(detect(two)).rejects.toThrow(
      '--metrics: a_total and b_total fit job "shop" equally; expected one of them by name',
    );
    expect(await detect([series('up_total', { method: 'GET' })])).toBeUndefined();
    expect(await detect(two, ['express-prom-bundle'])).toBeUndefined();
  });
});

describe('a request', () => {
  const request = { route: '/users/:id', method: 'HEAD', code: '201' };
  it.each([
    ['express-exact-metrics', 2, { path: '/users/:id', method: 'get', code: '201' }],
    [
      'opentelemetry',
      0,
      { http_route: '/users/:id', http_request_method: 'HEAD', http_response_status_code: '201' },
    ],
    ['starlette', 0, { handler: '/users/:id', method: 'HEAD', status: '2xx' }],
    ['promhttp', 0, { method: 'head', code: '201' }],
  ])('has the labels of %s', (name, counter, labels) => {
    const metrics = presetOf(name);
    expect(
      labelsOf(metrics.counters[counter] as (typeof metrics.counters)[number], metrics, request),
    ).toEqual(labels);
  });

  it.each([
    ['prometheus-api-metrics', { route: 'N/A', method: 'GET', code: '404' }],
    ['opentelemetry', { http_request_method: 'GET', http_response_status_code: '404' }],
  ])('without a route has those that %s gives it', (name, labels) => {
    const metrics = presetOf(name);
    const [counter] = metrics.counters;
    if (counter === undefined) throw new Error('expected a counter');
    expect(labelsOf(counter, metrics, { route: '', method: 'GET', code: '404' })).toEqual(labels);
  });
});

/** The verification of requests by one counter, `requests_total`, from nothing. */
function verifyBy(
  counter: Partial<MetricsInput['counters'][number]>,
  counts: Counts,
  sent: readonly ExpectedCount[] = [cart()],
  others: Partial<MetricsInput> = {},
) {
  const metrics = metricsSchema.parse({ counters: [{ name: 'requests_total', ...counter }], ...others });
  return verify(snapshotOf({ a: {} }), snapshotOf({ a: counts }), sent, metrics);
}

const ALL = { route: 'route', method: 'method', code: 'code' } as const;

describe('a counter that lacks a dimension', () => {
  const sent = [cart(), cart({ route: '/users/:id', method: 'POST', answered: { 201: 2 } })];
  it.each<[string, Partial<MetricsInput['counters'][number]>, Counts, string[]]>([
    [
      'of routes',
      { method: 'method', code: 'code' },
      { '{method="GET",code="200"}': 5, '{method="POST",code="201"}': 2 },
      ['route'],
    ],
    ['of all', {}, { '': 7 }, ['route', 'method', 'code']],
  ])('%s has the sums, and the mistakes that are not seen are named', (_, counter, counts, lacking) => {
    const named = Object.fromEntries(
      Object.entries(counts).map(([labels, n]) => [`requests_total${labels}`, n]),
    );
    const { verdict, rows, notes } = verifyBy(counter, named, sent);
    expect(verdict).toBe('verified');
    expect(Object.fromEntries(rows.map((row) => [formatRowName(row), row.counted]))).toEqual(named);
    for (const label of lacking) expect(notes.join('\n')).toContain(`no counter has a ${label} label`);
  });

  it('has as many rows as it needs for targets that declare no route', () => {
    const undeclared = cart({ route: null });
    const { verdict, rows } = verifyBy({ method: 'method' }, { 'requests_total{method="GET"}': 5 }, [
      undeclared,
    ]);
    expect([verdict, rows.map(formatRowName)]).toEqual(['verified', ['requests_total{method="GET"}']]);
  });

  it('is no reason for a note where nothing is lacking', () => {
    expect(weaknessesOf(presetOf('express-exact-metrics'))).toEqual([]);
  });
});

describe('what is wrong is explained', () => {
  const sent = [cart({ answered: { 200: 5 }, path: '/cart/7', route: '/cart/:id' })];
  const row = (route: string, code = '200', method = 'GET') =>
    `requests_total{route="${route}",method="${method}",code="${code}"}`;
  it.each<[string, Counts, string]>([
    ['nothing was counted', {}, 'nothing was counted at all: requests_total did not grow'],
    [
      'everything is counted twice',
      { [row('/cart/:id')]: 10 },
      'every request is counted twice: is the service instrumented twice?',
    ],
    [
      'the raw URL is the label',
      { [row('/cart/7')]: 5 },
      '5 requests counted under route="/cart/7" instead of "/cart/:id": the raw URL, an unbounded label',
    ],
    [
      'several URLs are labels',
      { [row('/cart/8')]: 3, [row('/cart/7')]: 2 },
      '5 requests counted under 2 values of route, such as "/cart/7", instead of "/cart/:id": the raw URL, an unbounded label',
    ],
    [
      'another status was counted',
      { [row('/cart/:id')]: 3, [row('/cart/:id', '499')]: 2 },
      '2 requests counted under code="499" instead of "200"',
    ],
    [
      'another method was counted',
      { [row('/cart/:id', '200', 'HEAD')]: 5 },
      '5 requests counted under method="HEAD" instead of "GET"',
    ],
  ])('where %s', (_, counts, note) => {
    const verification = verifyBy(ALL, counts, sent);
    expect(verification).toMatchObject({ verdict: 'failed', notes: expect.arrayContaining([note]) });
  });

  it('and no more than the numbers say', () => {
    const { verdict, notes } = verifyBy(ALL, { [row('/cart/:id')]: 3, [row('/other')]: 1 }, sent);
    expect([verdict, notes]).toEqual(['failed', []]);
  });

  it('says how requests without an answer were counted', () => {
    const unknown = [cart({ route: '/cart/:id', unknown: 2 })];
    const { verdict, notes } = verifyBy(
      ALL,
      { [row('/cart/:id')]: 6, [row('/cart/:id', '499')]: 1 },
      unknown,
    );
    expect([verdict, notes.slice(0, 2)]).toEqual([
      'inconclusive',
      [
        '1 of the 2 requests without a complete answer counted as 200',
        '1 of the 2 requests without a complete answer counted as 499',
      ],
    ]);
  });

  it('leaves out the routes of other traffic', () => {
    const counts = { [row('/cart/:id')]: 5, [row('/metrics')]: 12 };
    expect(verifyBy(ALL, counts, sent).verdict).toBe('failed');
    expect(verifyBy(ALL, counts, sent, { ignoreRoutes: ['/metrics'] }).verdict).toBe('verified');
  });

  it('knows a label that the mapping names and Prometheus does not have', () => {
    const verification = verifyBy(
      { ...ALL, methodCase: 'lower' },
      { 'requests_total{route="/cart/:id",method="get"}': 5 },
      sent,
    );
    expect(describeVerification(verification)).toEqual({
      headline: 'unverifiable:',
      details: ['no sample of requests_total in Prometheus has the label code: is it dropped there?'],
    });
  });

  it('knows two targets that are one process', () => {
    const metrics = metricsSchema.parse({ counters: [{ name: 'requests_total' }], startTime: 'started' });
    const both = (count: number) =>
      snapshotOf({ a: { requests_total: count }, b: { requests_total: count } });
    expect(verify(both(0), both(5), [cart()], metrics)).toMatchObject({
      verdict: 'unverifiable',
      obstacles: ['a and b are one process that Prometheus scrapes as two targets'],
    });
  });
});
