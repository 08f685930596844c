/** The set of series is a function of the routes, whatever clients send. */
import { METHODS } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { DURATION_BUCKETS_SECONDS } from 'express-exact-metrics';
import { createRandom, pick } from '../../test/support/random.ts';
import { connectRaw } from '../../test/support/raw-client.ts';
import { until } from '../../test/support/until.ts';
import { startApp, type TestApp } from './harness.ts';

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
    'http_server_drained',
    ...['404', '405', '499', '500'].map((code) => `http_errors_total{code="${code}"}`),
    ...rows.map(([path, method]) => `http_requests_total{path="${path}",method="${method}"}`),
    ...cells.flatMap((labels) => [
      ...bounds.map((le) => `http_request_duration_seconds_bucket{${labels},le="${le}"}`),
      `http_request_duration_seconds_sum{${labels}}`,
      `http_request_duration_seconds_count{${labels}}`,
    ]),
  ].sort();
}

const families = [
  'http_requests_total',
  'http_errors_total',
  'inprogress_requests',
  'http_request_duration_seconds',
  'http_server_drained',
];

async function endedRequests(): Promise<number> {
  const counts = (await app.scrape('http_request_duration_seconds')).matchAll(/_count\{.*\} (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function exposedSeries(): Promise<string[]> {
  const samples = (await app.scrape(...families))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
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
    app = await startApp();
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

    await until('all requests to end', async () => (await endedRequests()) >= HOSTILE_REQUESTS);
    expect(await endedRequests()).toBe(HOSTILE_REQUESTS);
    expect(await exposedSeries()).toEqual(contract);
  }, 120_000);
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
