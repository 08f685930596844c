/** What the options change, and which are refused. */
import { afterEach, describe, expect, it } from '@jest/globals';
import express from 'express';
import { Counter } from 'prom-client';
import { until } from '../../test/support/until.ts';
import { instrument } from '../src/index.ts';
import { Registry } from '../src/library.ts';
import { startApp, type TestApp } from './harness.ts';

let app: TestApp | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

const ok = (_request: unknown, response: express.Response) => void response.send('ok');

describe('the options', () => {
  it('give names, labels and values', async () => {
    app = await startApp((application) => void application.get('/users/:id', ok), {
      prefix: 'shop_',
      names: { requests: 'requests_total' },
      labels: { path: 'route', code: 'status' },
      pathLabel: (template) => template.slice(1).replace(':', ''),
      codes: { 'GET /users/:id': [200, 422] },
      bucketsSeconds: [0.5, 60],
    });
    await fetch(`${app.url}/users/7`);
    await until(
      'the request to end',
      async () =>
        (await app?.scrape())?.includes('shop_requests_total{route="users/id",method="get"} 1') ?? false,
    );
    const text = await app.scrape();
    expect(text).toContain(
      'shop_http_request_duration_seconds_bucket{route="users/id",method="get",status="422",le="60.0"} 0\n',
    );
    expect(text).toContain('shop_http_errors_total{status="404"} 0\n');
    expect(text).toContain('shop_inprogress_requests 0\n');
    expect(text).toContain('shop_metrics_scrapes_total{code="200"}');
  });

  it('let two templates have one label', async () => {
    app = await startApp((application) => void application.get('/v1/a', ok).get('/v2/a', ok), {
      pathLabel: (template) => template.replace(/^\/v\d/, ''),
    });
    for (const path of ['/v1/a', '/v2/a']) await fetch(app.url + path);
    expect((await app.settled(2)).requests).toEqual({ 'get /a': 2 });
  });

  it('take a registry, whose own metrics are exposed too', async () => {
    const registry = new Registry();
    new Counter({ name: 'jobs_total', help: 'Jobs', registers: [registry] }).inc(3);
    app = await startApp(() => undefined, { registry });
    expect(app.metrics.registry).toBe(registry);
    expect(await app.scrape('jobs_total')).toContain('\njobs_total 3\n');
  });

  it.each<[object, string]>([
    [{ bucket: [1] }, 'bucket: is no option; there are registry, prefix,'],
    [{ registry: {} }, 'registry: expected a registry of prom-client, got an object with nothing'],
    [{ prefix: '9' }, 'prefix: expected the beginning of a metric name, got "9"'],
    [{ names: { duration: 'a b' } }, 'names: expected a metric name for duration, got "a b"'],
    [
      { names: { requests: 'requests' } },
      'names: expected a counter name that ends in _total, got "requests"',
    ],
    [
      { names: { latency: 'x' } },
      'names: expected only requests, errors, inProgress, duration, drained, got latency',
    ],
    [
      { names: { requests: 'x_total', errors: 'x_total' } },
      'names: expected names that differ from each other',
    ],
    [
      { labels: { path: '__name__' } },
      'labels: expected a label name that is not reserved for path, got "__name__"',
    ],
    [{ labels: { code: 'le' } }, 'labels: expected a label name that is not reserved for code, got "le"'],
    [{ pathLabel: '/' }, 'pathLabel: expected a function from a template to a label, got "/"'],
    [{ codes: { 'GET /a': [99] } }, 'codes: expected status codes from 100 to 599 for GET /a, got [99]'],
    [{ codes: { '/a': [200] } }, 'codes: expected keys like "POST /users", got "/a"'],
    [
      { bucketsSeconds: [0.25, 0.1] },
      'bucketsSeconds: expected bounds in seconds that ascend from above 0, got [0.25,0.1]',
    ],
    [
      { bucketsSeconds: [] },
      'bucketsSeconds: expected at least one bound where nativeHistograms is off, got []',
    ],
    [
      { nativeHistograms: 1.1 },
      'nativeHistograms: expected true, false, or { growthFactor, maxBuckets }, got 1.1',
    ],
    [
      { nativeHistograms: { schema: 3 } },
      'nativeHistograms: expected true, false, or { growthFactor, maxBuckets }, got an object with schema',
    ],
    [
      { nativeHistograms: { growthFactor: 1 } },
      'nativeHistograms: expected a growthFactor from 1.02 to 2, got 1',
    ],
    [
      { nativeHistograms: { maxBuckets: 3 } },
      'nativeHistograms: expected a whole number from 20 as maxBuckets, got 3',
    ],
    [{ skip: ['healthz'] }, 'skip: expected paths that begin with a slash, or a function, got ["healthz"]'],
    [{ maxRoutes: 0 }, 'maxRoutes: expected a whole number from 1, got 0'],
    [{ maxScrapes: 1.5 }, 'maxScrapes: expected a whole number from 1, got 1.5'],
    [{ defaultMetrics: { with: [] } }, 'defaultMetrics: expected only without, got with'],
    [
      { prefix: 1, warn: 2 },
      'prefix: expected the beginning of a metric name, got 1\nwarn: expected a function that takes a message, got 2',
    ],
  ])('are refused at construction: %j', (options, message) => {
    expect(() => instrument(express(), options)).toThrow(message);
  });

  it('are refused where the registry has a metric of that name', () => {
    const registry = new Registry();
    new Counter({ name: 'http_requests_total', help: 'Mine', registers: [registry] });
    expect(() => instrument(express(), { registry })).toThrow(
      'http_requests_total has already been registered',
    );
  });
});
