/** The effects of the options, and invalid options. */
import { describe, expect, it } from '@jest/globals';
import express from 'express';
import { until } from '../../test/support/until.ts';
import { instrument } from '../src/index.ts';
import { ok, startApp } from './harness.ts';

describe('the options', () => {
  it('set names, labels and values', async () => {
    const app = await startApp((application) => void application.get('/users/:id', ok), {
      prefix: 'shop_',
      pathLabel: (template) => template.slice(1).replace(':', ''),
      codes: { 'GET /users/:id': [200, 422] },
      bucketsSeconds: [0.5, 60],
    });
    await fetch(`${app.url}/users/7`);
    await until(
      'the request to end',
      async () =>
        (await app.scrape()).includes('shop_http_requests_total{path="users/id",method="get"} 1') ?? false,
    );
    const text = await app.scrape();
    expect(text).toContain(
      'shop_http_request_duration_seconds_bucket{path="users/id",method="get",code="422",le="60.0"} 0\n',
    );
    expect(text).toContain('shop_http_errors_total{code="404"} 0\n');
    expect(text).toContain('shop_inprogress_requests 0\n');
    expect(text).toContain('shop_http_server_drained 0\n');
    expect(text).toContain('shop_metrics_scrapes_total{code="200"}');
  });

  it.each<[object, string]>([
    [{ bucket: [1] }, 'bucket: unknown option; expected one of registry, prefix,'],
    [
      { registry: {} },
      'registry: expected a registry of @prometheus-io/client or prom-client, got an object with nothing',
    ],
    [{ prefix: '9' }, 'prefix: expected a prefix of a metric name, got "9"'],
    [{ pathLabel: '/' }, 'pathLabel: expected a function from a template to a label, got "/"'],
    [{ codes: { 'GET /a': [99] } }, 'codes: expected status codes from 100 to 599 for GET /a, got [99]'],
    [{ codes: { '/a': [200] } }, 'codes: expected keys like "POST /users", got "/a"'],
    [
      { bucketsSeconds: [0.25, 0.1] },
      'bucketsSeconds: expected ascending bounds above 0, in seconds, got [0.25,0.1]',
    ],
    [
      { bucketsSeconds: [] },
      'bucketsSeconds: expected at least one bound if nativeHistograms is off, got []',
    ],
    [{ nativeHistograms: 1.1 }, 'nativeHistograms: expected true or false, got 1.1'],
    [{ skip: ['healthz'] }, 'skip: expected paths that start with a slash, or a function, got ["healthz"]'],
    [{ maxRoutes: 0 }, 'maxRoutes: expected a whole number from 1, got 0'],
    [{ maxScrapes: 1.5 }, 'maxScrapes: expected a whole number from 1, got 1.5'],
    [{ defaultMetrics: 'no' }, 'defaultMetrics: expected true or false, got "no"'],
    [
      { prefix: 1, warn: 2 },
      'prefix: expected a prefix of a metric name, got 1\nwarn: expected a function that takes a message, got 2',
    ],
  ])('are rejected at construction: %j', (options, message) => {
    expect(() => instrument(express(), options)).toThrow(message);
  });
});
