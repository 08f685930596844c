/** The requests and responses of the contract. */
import { describe, expect, it } from '@jest/globals';
import { type Route, routes } from '../src/routes.ts';
import { start, statusOf } from './harness.ts';

const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';
const CARS = '["toyota","honda","mazda","lexus"]';
const PRIVATE = { METRICS_ON_API_PORT: 'false' };

describe('the API', () => {
  it.each([
    ['GET', '/products', 200, 'product'],
    ['POST', '/products', 201, 'created product'],
    ['GET', '/cart', 200, 'cart'],
    ['POST', '/cart', 201, 'created cart'],
    ['GET', '/cars', 200, CARS, JSON_TYPE],
    ['POST', '/cars', 200, 'Create Car'],
    ['GET', '/cars/7', 200, 'Single car'],
    ['PATCH', '/cars/7', 200, 'Updating Car'],
    ['DELETE', '/cars/0012', 200, 'Deleting Car'],
    ['GET', '/cars?sort=name', 200, CARS, JSON_TYPE],
    ['HEAD', '/products', 200, ''],
    ['GET', '/', 404, 'page not found'],
    ['GET', '/Products', 404, 'page not found'],
    ['GET', '/products/', 404, 'page not found'],
    ['GET', '/cars/-7', 404, 'page not found'],
    ['GET', '/cars/seven', 404, 'page not found'],
    ['POST', '/cars/seven', 404, 'page not found'],
    ['GET', '/cars/%E0%A4%A', 404, 'page not found'],
    ['GET', '/cars/7/', 404, 'page not found'],
    ['GET', '/metrics', 404, 'page not found'],
  ])('responds to %s %s with %i', async (method, path, status, body, type = TEXT) => {
    const response = await fetch((await start(PRIVATE)).api + path, { method });
    expect(await response.text()).toBe(body);
    expect([response.status, response.headers.get('content-type')]).toEqual([status, type]);
    expect(response.headers.get('etag')).toBeNull();
  });

  it.each([
    ['POST', '/products', '{"a": ', 'application/json', 201],
    ['POST', '/cars', '\0\xff'.repeat(1_000), 'image/png', 200],
    ['DELETE', '/cars/1', 'where none is expected', 'text/plain', 200],
    ['PATCH', '/cars', '[]', 'application/json', 405],
    ['POST', '/none', '[]', 'application/json', 404],
  ])('responds to %s %s without reading its body', async (method, path, body, type, status) => {
    const { api } = await start();
    const headers = { 'Content-Type': type, 'Content-Encoding': 'gzip' };
    expect((await fetch(api + path, { method, body, headers })).status).toBe(status);
  });

  it.each([
    ['PUT', '/products', 'GET, HEAD, POST'],
    ['DELETE', '/cart', 'GET, HEAD, POST'],
    ['OPTIONS', '/cars', 'GET, HEAD, POST'],
    ['POST', '/cars/7', 'GET, HEAD, PATCH, DELETE'],
  ])('responds to %s %s with 405 and the allowed methods', async (method, path, allowed) => {
    const response = await fetch((await start()).api + path, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, allowed]);
  });

  it('serves /metrics unless disabled, responds to other methods with 405, and counts neither', async () => {
    const { api, scrape } = await start();
    expect(await Promise.all(['GET', 'POST'].map((method) => statusOf(`${api}/metrics`, method)))).toEqual([
      200, 405,
    ]);
    expect(await scrape('http_errors_total')).toContain('http_errors_total{code="405"} 0');
  });

  it('responds with 404 if a handler calls next()', async () => {
    const pass: Route = { method: 'get', path: '/a', code: 200, handler: (_q, _r, next) => next() };
    const { api, scrape } = await start({}, [pass]);
    const response = await fetch(`${api}/a`);
    expect([response.status, response.headers.get('allow')]).toEqual([404, null]);
    expect(await scrape('http_errors_total')).toContain('http_errors_total{code="404"} 1\n');
  });

  it.each([
    ['/shelves/9', 200],
    ['/shelves/9/books', 200],
    ['/shelves/NOVELS9', 404],
    ['/shelves/x/books', 404],
    ['/shelves/x/books/7', 404],
  ])('checks the parameter of every route against its pattern: %s is %i', async (path, status) => {
    const paths = ['/shelves/:id', '/shelves/:id/books/:id2', '/shelves/:id/books'];
    const handler: Route['handler'] = (_request, response) => void response.end();
    const { api } = await start(
      {},
      paths.map((template) => ({ method: 'get', path: template, code: 200, handler })),
    );
    expect(await statusOf(api + path)).toBe(status);
  });
});

const failing: Route = {
  ...{ method: 'get', path: '/fails', code: 200 },
  handler() {
    throw new Error('the reason');
  },
};

it.each([
  ...['/products', '/cars', '/none', '/fails', '/cars/%zz'].map((path) => ['api', path] as const),
  ...['/metrics', '/readyz', '/products'].map((path) => ['metrics', path] as const),
])('no response reveals the server or is an HTML page: %s %s', async (port, path) => {
  const response = await fetch((await start({}, [...routes, failing]))[port] + path);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  });
  expect(['x-powered-by', 'server'].filter((name) => response.headers.has(name))).toEqual([]);
  expect(await response.text()).not.toMatch(/the reason|node_modules|file:|\bat /);
});
