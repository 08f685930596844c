/** The explanations of failed verifications, and requests that no counter contains. */
import { describe, expect, it } from '@jest/globals';
import type { ExpectedCount } from '../src/common/expected-counts.ts';
import { metricsSchema } from '../src/common/metrics.ts';
import { PRESETS } from '../src/common/presets.ts';
import { describeVerification } from '../src/verify/description.ts';
import { verify } from '../src/verify/verification.ts';
import { type Counts, cart, snapshotOf, verifyBy } from './snapshots.ts';

const presetOf = (name: string) => metricsSchema.parse(PRESETS[name]?.variants[0]);
const DURATIONS = 'http_request_duration_seconds_count';
const ALL = { route: 'route', method: 'method', code: 'code' } as const;

describe('the reason for a failure is explained', () => {
  const sent = [cart({ answered: { 200: 5 }, path: '/cart/7', route: '/cart/:id' })];
  const row = (route: string, code = '200', method = 'GET') =>
    `requests_total{route="${route}",method="${method}",code="${code}"}`;
  it.each<[string, Counts, string]>([
    ['nothing was counted', {}, 'no request was counted: requests_total did not increase'],
    [
      'everything is counted twice',
      { [row('/cart/:id')]: 10 },
      'every series increased by twice the number of requests: is the service instrumented twice?',
    ],
    [
      'the raw URL is the label',
      { [row('/cart/7')]: 5 },
      '5 requests counted under route="/cart/7" instead of "/cart/:id": the raw URL, an unbounded label',
    ],
    [
      'several URLs are labels',
      { [row('/cart/8')]: 3, [row('/cart/7')]: 2 },
      '5 requests counted under 2 values of route (for example "/cart/7") instead of "/cart/:id": the raw URL, an unbounded label',
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
  ])('if %s', (_, counts, note) => {
    const verification = verifyBy(ALL, counts, sent);
    expect(verification).toMatchObject({ verdict: 'failed', notes: expect.arrayContaining([note]) });
  });

  it('but only as far as the numbers prove it', () => {
    const { verdict, notes } = verifyBy(ALL, { [row('/cart/:id')]: 3, [row('/other')]: 1 }, sent);
    expect([verdict, notes]).toEqual(['failed', []]);
  });

  it('reports how requests without a response were counted', () => {
    const unknown = [cart({ route: '/cart/:id', unknown: 2 })];
    const counts = { [row('/cart/:id')]: 6, [row('/cart/:id', '499')]: 1 };
    const { verdict, notes } = verifyBy(ALL, counts, unknown);
    const reported = ['200', '499'].map(
      (code) => `1 of the 2 requests without a complete response were counted as ${code}`,
    );
    expect([verdict, notes.slice(0, 2)]).toEqual(['inconclusive', reported]);
  });

  it('ignores the routes of other traffic', () => {
    const counts = { [row('/cart/:id')]: 5, [row('/metrics')]: 12 };
    expect(verifyBy(ALL, counts, sent).verdict).toBe('failed');
    expect(verifyBy(ALL, counts, sent, { ignoreRoutes: ['/metrics'] }).verdict).toBe('verified');
  });

  it('detects a label of the mapping that is missing in Prometheus', () => {
    const counts = { 'requests_total{route="/cart/:id",method="get"}': 5 };
    expect(describeVerification(verifyBy({ ...ALL, methodCase: 'lower' }, counts, sent))).toEqual({
      headline: 'unverifiable:',
      details: ['no sample of requests_total in Prometheus has the label code: does relabelling drop it?'],
    });
  });

  it('detects two targets that are one process', () => {
    const metrics = metricsSchema.parse({ counters: [{ name: 'requests_total' }], startTime: 'started' });
    const both = (count: number) =>
      snapshotOf({ a: { requests_total: count }, b: { requests_total: count } });
    expect(verify(both(0), both(5), [cart()], metrics)).toMatchObject({
      verdict: 'failed',
      notes: [
        'every series increased by twice the number of requests: a and b have identical counts, like one process that is scraped as two targets',
      ],
    });
  });
});

describe('requests that no counter contains are not verified', () => {
  const fastify = presetOf('fastify-metrics');
  const nothing = snapshotOf({ a: {} });
  it.each<[string, Parameters<typeof verify>[3], Partial<ExpectedCount>]>([
    ['of an ignored route', presetOf('starlette'), { route: '/metrics' }],
    ['without a route, where only routed ones are counted', fastify, { route: '' }],
    ['whose route is not declared, where only routed ones are counted', fastify, { route: null }],
    [
      'without an error, where only errors are counted',
      metricsSchema.parse({ counters: [{ name: 'errors_total', counts: 'errors' }] }),
      {},
    ],
    [
      'without a route, where those are ignored',
      { ...presetOf('opentelemetry'), ignoreRoutes: [''] },
      { route: '', answered: { 404: 33 } },
    ],
  ])('for example requests %s', (_, metrics, sent) => {
    expect(verify(nothing, nothing, [cart(sent)], metrics)).toMatchObject({
      verdict: 'unverifiable',
      obstacles: [expect.stringContaining('no compared counter contains these requests')],
    });
  });

  it('and are reported', () => {
    const sent = [cart({ route: '/cart' }), cart({ route: '', answered: { 404: 2 } })];
    const labels = { route: '/cart', method: 'GET', status_code: '200' };
    const values = [{ metric: DURATIONS, labels, value: 5 }];
    const after = { ...nothing, instances: nothing.instances.map((one) => ({ ...one, values })) };
    const verification = verify(nothing, after, sent, fastify);
    expect(describeVerification(verification)).toMatchObject({
      headline: 'verified: 5 of 7 requests, each counted exactly once',
      details: expect.arrayContaining(['no compared counter contains the other 2']),
    });
  });

  it('and a request without a response is counted at most once', () => {
    const both = { 'requests_total{code="200"}': 7, 'requests_total{code="499"}': 2 };
    const unknown = [cart({ unknown: 2 })];
    expect(verifyBy({ code: 'code' }, both, unknown)).toMatchObject({ verdict: 'failed' });
  });
});
