/** What `instrument` promises beside the labels: zeros, options, refusals, the endpoint, and other people's frameworks. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createHttpsServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import express, { Router } from 'express';
import { Counter } from 'prom-client';
import { certificate, privateKey } from '../../test/support/certificate.ts';
import { until } from '../../test/support/until.ts';
import { type InstrumentOptions, instrument } from '../src/index.ts';
import { Registry } from '../src/library.ts';
import { parse, serve, startApp, type TestApp } from './harness.ts';

let app: TestApp | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

const ok = (_request: unknown, response: express.Response) => void response.send('ok');
const requestsOf = async (from: TestApp) =>
  Object.fromEntries(
    parse(await from.scrape('http_requests_total')).map(({ labels, value }) => [
      `${labels.method} ${labels.path}`,
      value,
    ]),
  );

describe('the series', () => {
  it('of all routes exist at 0 before the first request', async () => {
    app = await startApp((application) => {
      application.get('/a', ok).post('/a', ok);
      application.use('/b/:c', Router().use('/d', Router().put('/e', ok)));
      application.use('/admin', express().get('/f', ok) as express.Express);
      application.all('/all', ok);
    });
    expect(await requestsOf(app)).toEqual({
      'get /a': 0,
      'post /a': 0,
      'put /b/:c/d/e': 0,
      'get /admin/f': 0,
      ...Object.fromEntries(['get', 'post', 'put', 'patch', 'delete'].map((method) => [`${method} /all`, 0])),
    });
    const codes = parse(await app.scrape('http_request_duration_seconds'))
      .filter(
        ({ name, labels }) => name.endsWith('_count') && labels.path === '/a' && labels.method === 'get',
      )
      .map(({ labels, value }) => [labels.code, value]);
    expect(codes).toEqual([
      ['200', 0],
      ['499', 0],
      ['500', 0],
    ]);
    expect(await app.scrape('http_errors_total')).toContain('http_errors_total{code="404"} 0\n');
  });

  it('of a route that is added after the first request appear with the next scrape, or with its first request', async () => {
    let application = express();
    const nested = Router().get('/x', ok);
    app = await startApp((own) => {
      application = own;
      own.use('/nested', nested);
    });
    await fetch(`${app.url}/nested/x`);
    nested.get('/y', ok);
    application.get('/late', ok);
    expect(await requestsOf(app)).toEqual({ 'get /nested/x': 1, 'get /nested/y': 0, 'get /late': 0 });
    nested.get('/z/:id', ok);
    await fetch(`${app.url}/nested/z/7`);
    await app.settled(2);
    expect(await requestsOf(app)).toMatchObject({ 'get /nested/z/:id': 1 });
  });

  it('end in unmatched, with one warning, where an application makes routers without end', async () => {
    const warnings: string[] = [];
    app = await startApp(
      (application) =>
        void application.use('/shop', (request, response, next) =>
          Router().get(`/${request.url.slice(1)}`, ok)(request, response, next),
        ),
      { maxRoutes: 3, warn: (message) => void warnings.push(message) },
    );
    for (let i = 0; i < 10; i++) await fetch(`${app.url}/shop/${i}`);
    const { requests, durations } = await app.settled(10);
    expect(requests).toEqual({ 'get /shop/0': 1, 'get /shop/1': 1, 'get /shop/2': 1 });
    expect(durations['get unmatched 200']).toBe(7);
    expect(warnings).toEqual([expect.stringContaining('more than 3 pairs of path and method')]);
  });
});

describe('an application', () => {
  it('that is instrumented twice is refused, also by another copy of the package', () => {
    const application = express();
    instrument(application, { defaultMetrics: false });
    expect(() => instrument(application)).toThrow('this application is instrumented already');
  });

  it.each([
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a server', createServer(), 'object'],
    ['a router', Router(), 'function'],
  ])('that is none is refused: %s', (_name, application, got) => {
    expect(() => instrument(application)).toThrow(
      `expected an Express application (the result of express()), got ${got}`,
    );
  });

  it('shares nothing with another in the same process, also where one is mounted in the other', async () => {
    const inner = express().get('/x', ok) as express.Express;
    const innerMetrics = instrument(inner, { defaultMetrics: false });
    app = await startApp((application) => application.use('/inner', inner).get('/y', ok));
    await fetch(`${app.url}/inner/x`);
    await fetch(`${app.url}/y`);
    expect((await app.settled(2)).durations).toEqual({ 'get /inner/x 200': 1, 'get /y 200': 1 });
    const own = await innerMetrics.registry.getSingleMetricAsString('http_requests_total');
    expect(own).toContain('http_requests_total{path="/x",method="get"} 1');
  });

  it('keeps the settings that it makes after the first scrape', async () => {
    let application = express();
    app = await startApp((own) => {
      application = own;
    });
    await app.scrape();
    application.enable('strict routing').enable('case sensitive routing').get('/a', ok);
    for (const path of ['/a', '/a/', '/A']) await fetch(app.url + path);
    expect((await app.settled(3)).durations).toEqual({ 'get /a 200': 1, 'get unmatched 404': 2 });
  });

  it('is counted over HTTPS as well', async () => {
    const application = express();
    const metrics = instrument(application, { defaultMetrics: false });
    application.get('/a/:b', ok);
    app = await serve(createHttpsServer({ key: privateKey, cert: certificate }, application), metrics);
    const request = httpsRequest({
      port: app.port,
      host: '127.0.0.1',
      path: '/a/1',
      ca: certificate,
      rejectUnauthorized: false,
    }).end();
    const [response] = await once(request, 'response');
    response.resume();
    await once(response, 'end');
    request.destroy();
    expect((await app.settled(1)).durations).toEqual({ 'get /a/:b 200': 1 });
  });

  it('of NestJS is counted by the templates of its controllers', async () => {
    const { startNest } = await import('./nest.ts');
    const nest = await startNest();
    try {
      for (const path of ['/cats/7', '/cats/7', '/cats/none', '/nowhere']) await fetch(nest.url + path);
      await fetch(`${nest.url}/cats`, { method: 'POST' });
      const text = await nest.scrape();
      expect(
        parse(text)
          .filter(({ name, value }) => name === 'http_requests_total' && value > 0)
          .map(({ labels, value }) => [labels.method, labels.path, value]),
      ).toEqual([
        ['get', '/cats/:id', 3],
        ['post', '/cats', 1],
      ]);
      expect(text).toContain(
        'http_request_duration_seconds_count{path="/cats/:id",method="get",code="404"} 1\n',
      );
      expect(text).toContain(
        'http_request_duration_seconds_count{path="unmatched",method="get",code="404"} 1\n',
      );
    } finally {
      await nest.close();
    }
  });
});

describe('requests that are not counted', () => {
  it.each<[string, Pick<InstrumentOptions, 'skip'>]>([
    ['paths', { skip: ['/healthz'] }],
    ['a function', { skip: ({ url }) => url === '/healthz' }],
  ])('are those of %s', async (name, options) => {
    app = await startApp((application) => void application.get('/healthz', ok).get('/a', ok), options);
    for (const path of ['/healthz', '/a']) await fetch(app.url + path);
    expect((await app.settled(1)).durations).toEqual({ 'get /a 200': 1 });
    // A function cannot be asked about a template.
    expect('get /healthz' in (await requestsOf(app))).toBe(name === 'a function');
  });

  it('are scrapes, wherever the application mounts the handler, and they are not in progress either', async () => {
    const application = express();
    const metrics = instrument(application, { defaultMetrics: false });
    application.get('/metrics', metrics.handler);
    application.use('/internal', Router().get('/metrics', metrics.createHandler()));
    app = await serve(createServer(application), metrics);
    for (const path of ['/metrics', '/internal/metrics']) {
      const text = await (await fetch(app.url + path)).text();
      expect(text).toContain('inprogress_requests 0\n');
      expect(text).not.toContain('path="/');
    }
    expect(await app.counts()).toEqual({ requests: {}, errors: {}, durations: {}, inProgress: 0 });
  });
});

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

  it('let two templates have one label, and the template stand for a label that fails', async () => {
    const warnings: string[] = [];
    app = await startApp((application) => void application.get('/v1/a', ok).get('/v2/a', ok).get('/b', ok), {
      pathLabel: (template) => {
        if (template === '/b') throw new Error('no label');
        return template.replace(/^\/v\d/, '');
      },
      warn: (message) => void warnings.push(message),
    });
    for (const path of ['/v1/a', '/v2/a', '/b']) await fetch(app.url + path);
    expect((await app.settled(3)).requests).toEqual({ 'get /a': 2, 'get /b': 1 });
    expect(warnings).toEqual([expect.stringMatching(/^pathLabel: .* for "\/b", got Error: no label;/)]);
  });

  it('take a registry, whose own metrics are exposed too', async () => {
    const registry = new Registry();
    new Counter({ name: 'jobs_total', help: 'Jobs', registers: [registry] }).inc(3);
    app = await startApp(() => undefined, { registry });
    expect(app.metrics.registry).toBe(registry);
    expect(await app.scrape('jobs_total')).toContain('\njobs_total 3\n');
  });

  it.each<[string, object, string]>([
    ['an unknown one', { bucket: [1] }, 'bucket: is no option; there are registry, prefix,'],
    [
      'a registry that is none',
      { registry: {} },
      'registry: expected a registry of prom-client, got an object with nothing',
    ],
    ['a prefix', { prefix: '9' }, 'prefix: expected the beginning of a metric name, got "9"'],
    [
      'a metric name',
      { names: { duration: 'a b' } },
      'names: expected a metric name for duration, got "a b"',
    ],
    [
      'a counter that is not called one',
      { names: { requests: 'requests' } },
      'names: expected a counter name that ends in _total, got "requests"',
    ],
    [
      'a name for nothing',
      { names: { latency: 'x' } },
      'names: expected only requests, errors, inProgress, duration, drained, got latency',
    ],
    [
      'one name for two',
      { names: { requests: 'x_total', errors: 'x_total' } },
      'names: expected names that differ from each other',
    ],
    [
      'a label that Prometheus keeps for itself',
      { labels: { path: '__name__' } },
      'labels: expected a label name that is not reserved for path, got "__name__"',
    ],
    [
      'the label of buckets',
      { labels: { code: 'le' } },
      'labels: expected a label name that is not reserved for code, got "le"',
    ],
    [
      'a label function',
      { pathLabel: '/' },
      'pathLabel: expected a function from a template to a label, got "/"',
    ],
    [
      'a code',
      { codes: { 'GET /a': [99] } },
      'codes: expected status codes from 100 to 599 for GET /a, got [99]',
    ],
    ['a route', { codes: { '/a': [200] } }, 'codes: expected keys like "POST /users", got "/a"'],
    [
      'bounds',
      { bucketsSeconds: [0.25, 0.1] },
      'bucketsSeconds: expected bounds in seconds that ascend from above 0, got [0.25,0.1]',
    ],
    [
      'no buckets of any kind',
      { bucketsSeconds: [] },
      'bucketsSeconds: expected at least one bound where nativeHistograms is off, got []',
    ],
    [
      'native histograms',
      { nativeHistograms: 1.1 },
      'nativeHistograms: expected true, false, or { growthFactor, maxBuckets }, got 1.1',
    ],
    [
      'something of native histograms',
      { nativeHistograms: { schema: 3 } },
      'nativeHistograms: expected true, false, or { growthFactor, maxBuckets }, got an object with schema',
    ],
    [
      'a growth factor',
      { nativeHistograms: { growthFactor: 1 } },
      'nativeHistograms: expected a growthFactor from 1.02 to 2, got 1',
    ],
    [
      'a limit of native buckets',
      { nativeHistograms: { maxBuckets: 3 } },
      'nativeHistograms: expected a whole number from 20 as maxBuckets, got 3',
    ],
    [
      'what to skip',
      { skip: ['healthz'] },
      'skip: expected paths that begin with a slash, or a function, got ["healthz"]',
    ],
    ['a limit of paths', { maxRoutes: 0 }, 'maxRoutes: expected a whole number from 1, got 0'],
    ['a limit of scrapes', { maxScrapes: 1.5 }, 'maxScrapes: expected a whole number from 1, got 1.5'],
    ['default metrics', { defaultMetrics: { with: [] } }, 'defaultMetrics: expected only without, got with'],
    [
      'several at once',
      { prefix: 1, warn: 2 },
      'prefix: expected the beginning of a metric name, got 1\nwarn: expected a function that takes a message, got 2',
    ],
  ])('are refused at construction: %s', (_name, options, message) => {
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

describe('the server of the metrics', () => {
  it.each([
    ['GET', '/', 200, 'text/plain; version=0.0.4; charset=utf-8'],
    ['GET', '/metrics', 200, 'text/plain; version=0.0.4; charset=utf-8'],
    ['POST', '/metrics', 405, 'text/plain; charset=utf-8'],
    ['GET', '/healthz', 200, 'text/plain; charset=utf-8'],
    ['PUT', '/healthz', 405, 'text/plain; charset=utf-8'],
    ['GET', '/readyz', 200, 'text/plain; charset=utf-8'],
    ['POST', '/readyz', 405, 'text/plain; charset=utf-8'],
    ['GET', '/users', 404, 'text/plain; charset=utf-8'],
  ])('answers %s %s with %i', async (method, path, status, type) => {
    const server = instrument(express()).listen(0, { host: '127.0.0.1', isReady: () => true });
    await once(server, 'listening');
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, {
      method,
    });
    await response.text();
    expect([response.status, response.headers.get('content-type')]).toEqual([status, type]);
    server.close();
    server.closeAllConnections();
  });

  it.each<[string, (() => unknown) | undefined, number, string, string[]]>([
    ['is not', () => false, 503, 'not ready\n', []],
    ['does not say so', undefined, 404, 'not found\n', []],
    [
      'says something else',
      () => 'yes',
      503,
      'not ready\n',
      ['isReady: expected true or false, got yes; it is not ready'],
    ],
  ])('answers /readyz for an application that %s', async (_name, isReady, status, body, expected) => {
    const warnings: string[] = [];
    const metrics = instrument(express(), { warn: (message) => void warnings.push(message) });
    const server = metrics.listen(0, { host: '127.0.0.1', isReady: isReady as () => boolean });
    await once(server, 'listening');
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/readyz`);
    expect([response.status, await response.text(), warnings]).toEqual([status, body, expected]);
    metrics.close();
    server.closeAllConnections();
  });
});
