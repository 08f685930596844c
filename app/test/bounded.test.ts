/** The set of series is a function of the route table, whatever clients send. */
import { METHODS } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { DURATION_BUCKETS_SECONDS } from '../src/instrumentation/metrics.ts';
import { render } from '../src/instrumentation/render.ts';
import type { RouteGroup } from '../src/instrumentation/route-table.ts';
import { routes } from '../src/routes.ts';
import { connectRaw, startApp, sum, type TestApp } from './harness.ts';
import { createRandom, pick } from './random.ts';

const HOSTILE_REQUESTS = 100_000;
const CONNECTIONS = 20;
const BATCH = 100;

let app: TestApp;
afterEach(() => app.close());

/** What the contract says that the API exposes, written down independently of how it is made. */
function expectedSeries(
  rows: [path: string, method: string, codes: number[]][],
  unmatchedMethods: string[],
): string[] {
  const cells = [
    ...rows.map(([path, method, codes]) => ({ path, method, codes: [...codes, 499, 500] })),
    ...unmatchedMethods.map((method) => ({ path: 'unmatched', method, codes: [404, 405, 499, 500] })),
  ].flatMap(({ path, method, codes }) =>
    codes.map((code) => `path="${path}",method="${method}",code="${code}"`),
  );
  const bounds = [
    ...DURATION_BUCKETS_SECONDS.map((bound) => (bound % 1 === 0 ? `${bound}.0` : `${bound}`)),
    '+Inf',
  ];
  return [
    'inprogress_requests',
    ...['404', '405', '499', '500'].map((code) => `http_errors_total{code="${code}"}`),
    ...rows.map(([path, method]) => `http_requests_total{path="${path}",method="${method}"}`),
    ...cells.flatMap((labels) => [
      ...bounds.map((le) => `http_request_duration_seconds_bucket{${labels},le="${le}"}`),
      `http_request_duration_seconds_sum{${labels}}`,
      `http_request_duration_seconds_count{${labels}}`,
    ]),
  ].sort();
}

async function exposedSeries(): Promise<string[]> {
  const text = (await render(await app.gather(), 'text')).toString();
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return samples.map((line) => line.slice(0, line.lastIndexOf(' '))).sort();
}

const contract = expectedSeries(
  [
    ['products', 'get', [200]],
    ['products', 'post', [201]],
    ['cart', 'get', [200]],
    ['cart', 'post', [201]],
    ['cars', 'get', [200]],
    ['cars', 'post', [200]],
    ['cars/:id', 'get', [200]],
    ['cars/:id', 'patch', [200]],
    ['cars/:id', 'delete', [200]],
  ],
  ['get', 'post', 'patch', 'delete', 'other'],
);

describe('the series of the API', () => {
  it(`are those of the contract, before and after ${HOSTILE_REQUESTS} hostile requests`, async () => {
    app = await startApp(routes);
    expect(await exposedSeries()).toEqual(contract);

    const random = createRandom(42);
    let batches = HOSTILE_REQUESTS / BATCH;
    await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        while (batches-- > 0) {
          const client = await connectRaw(app.port);
          client.send(Array.from({ length: BATCH }, () => hostileRequest(random)).join(''));
          await client.responses(BATCH);
          client.socket.destroy();
        }
      }),
    );

    expect(sum((await app.settled(HOSTILE_REQUESTS)).durations)).toBe(HOSTILE_REQUESTS);
    expect(await exposedSeries()).toEqual(contract);
  }, 120_000);

  it('grow by at most five for each path and method when a route sends what it does not declare', async () => {
    const table: RouteGroup = {
      path: '',
      routes: [
        {
          method: 'get',
          path: '/any/:status',
          codes: [200],
          handler: (request, response) => void response.status(Number(request.params.status)).end(),
        },
      ],
    };
    app = await startApp(table);
    const statuses = [200, 201, 226, 301, 304, 400, 418, 451, 503, 599, 799, 999];
    for (const status of statuses) await fetch(`${app.url}/any/${status}`, { redirect: 'manual' });
    expect((await app.settled(statuses.length)).durations).toEqual({
      'get any/:status 200': 1,
      'get any/:status 2xx': 2,
      'get any/:status 3xx': 2,
      'get any/:status 4xx': 3,
      'get any/:status 5xx': 4,
    });
  });
});

/** A request that HTTP allows and nobody expects. */
function hostileRequest(random: () => number): string {
  const junk = (length: number) =>
    Array.from({ length }, () =>
      String.fromCharCode(33 + Math.floor(random() * 94)).replace(/[#?"\\]/, '%'),
    ).join('');
  // CONNECT is no request to this server: Node closes the connection.
  const method = pick(random, [...METHODS.filter((name) => name !== 'CONNECT'), 'GET', 'POST']);
  const path = pick(random, [
    () => `/${junk(12)}`,
    () => '/products',
    () => `/products/${junk(5)}`,
    () => `/cars/${Math.floor(random() * 1e6)}`,
    () => `/cars/${junk(4)}`,
    () => `/%63ars/%31`,
    () => `/PRODUCTS//..%2f${junk(3)}`,
    () => `//${junk(6)}`,
    () => `http://example.org/cart?${junk(9)}`,
    () => `/cart?path=${junk(6)}&method=${junk(3)}`,
    () => '/__proto__',
    () => '/constructor/prototype',
    () => `/unmatched/${'a/'.repeat(40)}`,
    () => '*',
  ])();
  const headers = pick(random, [
    () => '',
    () => `X-${Math.floor(random() * 1e6)}: ${junk(20)}\r\n`,
    () => `X-HTTP-Method-Override: ${junk(6)}\r\n`,
    () => `Accept-Encoding: ${junk(6)}\r\nContent-Type: ${junk(8)}\r\n`,
    () => `Expect: ${junk(5)}\r\n`,
  ])();
  return `${method} ${path} HTTP/1.1\r\nHost: ${pick(random, ['x', 'example.org:1', '[::1]'])}\r\n${headers}\r\n`;
}
