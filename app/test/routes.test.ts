/** The API of the contract, request by request, and what a route table can express beyond it. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { Registry } from '../src/instrumentation/library.ts';
import { createMetrics } from '../src/instrumentation/metrics.ts';
import { type RouteGroup, toRouteLabels } from '../src/instrumentation/route-table.ts';
import { routes } from '../src/routes.ts';
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
    app = await startApp(routes);
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
    app = await startApp(routes);
    const response = await fetch(app.url + path, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, allowed]);
  });
});

const shops: RouteGroup = {
  path: '',
  params: { shop: /^[a-z]+$/ },
  routes: [
    { method: 'get', path: '/', codes: [200], handler: (_q, r) => void r.send('home') },
    {
      path: '/shops/:shop',
      params: { item: /^[a-z]+$/ },
      routes: [
        { method: 'get', path: '/items/:item', codes: [200], handler: (q, r) => void r.json(q.params) },
        {
          path: '/carts/:cart',
          routes: [
            { method: 'put', path: '/lines', codes: [204], handler: (_q, r) => void r.status(204).end() },
          ],
        },
      ],
    },
  ],
};

describe('a route table', () => {
  it('labels routes below parameters with their full template, and never with what was asked for', async () => {
    app = await startApp(shops);
    const item = await fetch(`${app.url}/shops/ikea/items/chair`);
    expect(await item.json()).toEqual({ shop: 'ikea', item: 'chair' });
    expect((await fetch(`${app.url}/shops/ikea/carts/9/lines`, { method: 'PUT' })).status).toBe(204);
    expect((await fetch(`${app.url}/`)).status).toBe(200);
    expect((await fetch(`${app.url}/shops/ikea/items/CHAIR`)).status).toBe(404);
    expect((await fetch(`${app.url}/shops/ikea/carts/9/lines`)).status).toBe(405);
    expect((await fetch(`${app.url}/shops/ikea`)).status).toBe(404);
    expect((await fetch(`${app.url}/shops/IKEA/items/chair`)).status).toBe(404);
    expect((await app.settled(7)).durations).toEqual({
      'get shops/:shop/items/:item 200': 1,
      'put shops/:shop/carts/:cart/lines 204': 1,
      'get / 200': 1,
      'get unmatched 404': 3,
      'get unmatched 405': 1,
    });
  });

  it('matches in its own order', async () => {
    const say = (body: string): RouteGroup['routes'][number] => ({
      method: 'get',
      path: `/${body}`,
      codes: [200],
      handler: (_q, r) => void r.send(body),
    });
    app = await startApp({
      path: '',
      routes: [
        say('a/first'),
        { path: '/a', routes: [say(':id')] },
        say(':any/second'),
        { path: '/b', routes: [say('second')] },
      ],
    });
    const bodies = [];
    for (const path of ['/a/first', '/a/7', '/b/second'])
      bodies.push(await (await fetch(app.url + path)).text());
    expect(bodies).toEqual(['a/first', ':id', ':any/second']);
  });

  it('runs several handlers of a row in order', async () => {
    const handler = [
      (_q: unknown, r: { locals: { n?: number } }, next: () => void) => {
        r.locals.n = 20;
        next();
      },
      (_q: unknown, r: { locals: { n?: number }; send(body: string): unknown }) =>
        void r.send(`${r.locals.n}`),
    ];
    app = await startApp({ path: '', routes: [{ method: 'get', path: '/both', codes: [200], handler }] });
    expect(await (await fetch(`${app.url}/both`)).text()).toBe('20');
  });

  const row = { method: 'get' as const, path: '/a', codes: [200], handler: () => undefined };
  it.each([
    ['the same path and method twice', [row, row], {}, 'get a: the path and method are taken'],
    [
      'a path that would be labelled unmatched',
      [{ ...row, path: '/unmatched' }],
      {},
      'get unmatched: the path and method are taken',
    ],
    [
      'a code that is none',
      [{ ...row, codes: [200, 1000] }],
      {},
      'get a: 1000 is not a status code (100-599)',
    ],
    [
      'no bucket at the latency objective',
      [row],
      { bucketsSeconds: [0.1, 1] },
      'no bucket equals the latency objective of 0.25 s',
    ],
    ['bounds that do not ascend', [row], { bucketsSeconds: [0.25, 0.1] }, 'bucket bounds must ascend from 0'],
  ])('is refused at construction: %s', (_name, rows, options, message) => {
    const labels = toRouteLabels({ path: '', routes: rows });
    expect(() => createMetrics(new Registry(), labels, options)).toThrow(message);
  });

  it('must be the one that the metrics were created from', () => {
    const metrics = createMetrics(new Registry(), toRouteLabels({ path: '', routes: [row] }));
    expect(() => metrics.routed('b', 'get')).toThrow('get b is not in the route table');
  });
});
