/** The promises of `instrument` besides labels and options: zeros, rejected arguments, its server, and uncounted requests. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createHttpsServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { Registry } from '@prometheus-io/client';
import express, { Router } from 'express';
import { certificate, privateKey } from '../../test/support/certificate.ts';
import { type InstrumentOptions, instrument } from '../src/index.ts';
import { measure, ok, parse, serve, startApp, type TestApp } from './harness.ts';

const requestsOf = async (from: TestApp) =>
  Object.fromEntries(
    parse(await from.scrape('http_requests_total')).map(({ labels, value }) => [
      `${labels.method} ${labels.path}`,
      value,
    ]),
  );

describe('the series', () => {
  it('of all routes exist at 0 before the first request', async () => {
    const app = await startApp((application) => {
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

  it('of a route added after the first request appear with the next scrape, or with its first request', async () => {
    let application = express();
    const nested = Router().get('/x', ok);
    const app = await startApp((own) => {
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

  it('of an application that keeps creating routers end in unmatched, with one warning', async () => {
    const warnings: string[] = [];
    const app = await startApp(
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
  it('cannot be instrumented twice, even by another copy of the package', () => {
    const application = express();
    measure(application);
    expect(() => instrument(application)).toThrow('this application is already instrumented');
  });

  it.each([
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a server', createServer(), 'object'],
    ['a router', Router(), 'function'],
  ])('must be an Express application: %s', (_name, application, got) => {
    expect(() => instrument(application)).toThrow(
      `expected an Express application (the result of express()), got ${got}`,
    );
  });

  it('keeps the settings that it changes after the first scrape', async () => {
    let application = express();
    const app = await startApp((own) => {
      application = own;
    });
    await app.scrape();
    application.enable('strict routing').enable('case sensitive routing').get('/a', ok);
    for (const path of ['/a', '/a/', '/A']) await fetch(app.url + path);
    await app.expectCounted({ 'get /a 200': 1, 'get unmatched 404': 2 });
  });

  it('also counts over HTTPS', async () => {
    const application = express();
    const metrics = measure(application);
    application.get('/a/:b', ok);
    const app = await serve(
      application,
      metrics,
      createHttpsServer({ key: privateKey, cert: certificate }, application),
    );
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
    await app.expectCounted({ 'get /a/:b 200': 1 });
  });
});

describe('requests that are not counted', () => {
  it.each<[string, Pick<InstrumentOptions, 'skip'>]>([
    ['paths', { skip: ['/healthz'] }],
    ['a function', { skip: ({ url }) => url === '/healthz' }],
  ])('are those of %s', async (name, options) => {
    const app = await startApp((application) => void application.get('/healthz', ok).get('/a', ok), options);
    for (const path of ['/healthz', '/a']) await fetch(app.url + path);
    await app.expectCounted({ 'get /a 200': 1 });
    // `skip` as a function takes a request, not a template.
    expect('get /healthz' in (await requestsOf(app))).toBe(name === 'a function');
  });

  it('are scrapes, wherever the application mounts the handler, which are never in progress either', async () => {
    const application = express();
    const metrics = measure(application);
    application.get('/metrics', metrics.handler);
    application.use('/internal', Router().get('/metrics', metrics.createHandler()));
    const app = await serve(application, metrics);
    for (const path of ['/metrics', '/internal/metrics']) {
      const text = await (await fetch(app.url + path)).text();
      expect(text).toContain('inprogress_requests 0\n');
      expect(text).not.toContain('path="/');
    }
    expect(await app.counts()).toEqual({ requests: {}, errors: {}, durations: {}, inProgress: 0 });
  });
});

describe('the server of the metrics', () => {
  const TEXT = 'text/plain; charset=utf-8';
  const EXPOSITION = 'text/plain; version=0.0.4; charset=utf-8';

  async function ask(path: string, { method = 'GET', isReady = () => true as unknown } = {}) {
    const warnings: string[] = [];
    const metrics = instrument(express(), {
      registry: new Registry(),
      warn: (message) => void warnings.push(message),
    });
    const server = metrics.listen(0, { host: '127.0.0.1', isReady: isReady as () => boolean });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { status, headers } = await fetch(`http://127.0.0.1:${port}${path}`, { method });
    metrics.close();
    server.closeAllConnections();
    return { answer: [status, headers.get('content-type')], warnings };
  }

  it.each([
    ['GET', '/', 200, EXPOSITION],
    ['GET', '/metrics', 200, EXPOSITION],
    ['POST', '/metrics', 405, TEXT],
    ['GET', '/healthz', 200, TEXT],
    ['PUT', '/healthz', 405, TEXT],
    ['GET', '/readyz', 200, TEXT],
    ['POST', '/readyz', 405, TEXT],
    ['GET', '/users', 404, TEXT],
  ])('answers %s %s with %i', async (method, path, status, type) => {
    expect((await ask(path, { method })).answer).toEqual([status, type]);
  });

  it.each<[string, () => unknown, string[]]>([
    ['returns false', () => false, []],
    [
      'returns another type',
      () => 'yes',
      ['isReady: expected true or false, got yes; the server is not ready'],
    ],
  ])('answers /readyz with 503 if isReady %s', async (_name, isReady, warnings) => {
    expect(await ask('/readyz', { isReady })).toEqual({ answer: [503, TEXT], warnings });
  });

  it('answers /readyz with 404 without isReady', async () => {
    const app = await startApp(() => undefined);
    const { port } = app.metricsServer.address() as AddressInfo;
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(404);
  });
});
