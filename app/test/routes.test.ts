/** The API of the contract, request by request. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Route } from '../src/routes.ts';
import { startApp, type TestApp } from './harness.ts';

let app: TestApp;
afterEach(() => app?.close());

const TEXT = 'text/plain; charset=utf-8';

describe('the API', () => {
  it.each([
    ['GET', '/products', 200, TEXT, 'product'],
    ['POST', '/products', 201, TEXT, 'created product'],
    ['GET', '/cart', 200, TEXT, 'cart'],
    ['POST', '/cart', 201, TEXT, 'created cart'],
    ['GET', '/cars', 200, 'application/json; charset=utf-8', '["toyota","honda","mazda","lexus"]'],
    ['POST', '/cars', 200, TEXT, 'Create Car'],
    ['GET', '/cars/7', 200, TEXT, 'Single car'],
    ['PATCH', '/cars/7', 200, TEXT, 'Updating Car'],
    ['DELETE', '/cars/0012', 200, TEXT, 'Deleting Car'],
    ['GET', '/cars?sort=name', 200, 'application/json; charset=utf-8', '["toyota","honda","mazda","lexus"]'],
    ['HEAD', '/products', 200, TEXT, ''],
    ['GET', '/', 404, TEXT, 'page not found'],
    ['GET', '/Products', 404, TEXT, 'page not found'],
    ['GET', '/products/', 404, TEXT, 'page not found'],
    ['GET', '/cars/-7', 404, TEXT, 'page not found'],
    ['GET', '/cars/seven', 404, TEXT, 'page not found'],
    ['POST', '/cars/seven', 404, TEXT, 'page not found'],
    ['GET', '/cars/%E0%A4%A', 404, TEXT, 'page not found'],
    ['GET', '/cars/7/', 404, TEXT, 'page not found'],
    ['GET', '/metrics', 404, TEXT, 'page not found'],
  ])('answers %s %s with %i', async (method, path, status, type, body) => {
    app = await startApp();
    const response = await fetch(app.url + path, { method });
    expect(await response.text()).toBe(body);
    expect([response.status, response.headers.get('content-type')]).toEqual([status, type]);
    expect(response.headers.get('x-powered-by')).toBeNull();
    expect(response.headers.get('etag')).toBeNull();
  });

  it.each([
    ['PUT', '/products', 'GET, HEAD, POST'],
    ['DELETE', '/cart', 'GET, HEAD, POST'],
    ['OPTIONS', '/cars', 'GET, HEAD, POST'],
    ['POST', '/cars/7', 'GET, HEAD, PATCH, DELETE'],
  ])('answers %s %s with 405 and what is allowed', async (method, path, allowed) => {
    app = await startApp();
    const response = await fetch(app.url + path, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, allowed]);
  });

  it('lets a handler pass its request on, which then nobody answers', async () => {
    const pass: Route = { method: 'get', path: '/a', code: 200, handler: (_q, _r, next) => next() };
    app = await startApp({ routes: [pass] });
    const response = await fetch(`${app.url}/a`);
    expect([response.status, response.headers.get('allow')]).toEqual([404, null]);
    expect(await app.scrape('http_errors_total')).toContain('http_errors_total{code="404"} 1\n');
  });

  it('holds every route that has a parameter to its pattern', async () => {
    const paths = ['/shelves/:id', '/shelves/:id/books/:id2', '/shelves/:id/books'];
    const handler: Route['handler'] = (_request, response) => void response.end();
    app = await startApp({ routes: paths.map((path) => ({ method: 'get', path, code: 200, handler })) });
    const statusOf = async (path: string) => (await fetch(`${app.url}${path}`)).status;
    const all = [
      '/shelves/9',
      '/shelves/9/books',
      '/shelves/NOVELS9',
      '/shelves/x/books',
      '/shelves/x/books/7',
    ];
    expect(await Promise.all(all.map(statusOf))).toEqual([200, 200, 404, 404, 404]);
  });
});
