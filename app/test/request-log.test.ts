/** The id of a request in its answer and in the log, how many lines there are, and the headers of every answer. */
import { afterEach, describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { until } from '../../test/support/until.ts';
import { createLineBudget } from '../src/request-log.ts';
import { type Route, routes } from '../src/routes.ts';
import { startApp, type TestApp } from './harness.ts';

const fail = () => {
  throw new Error('the reason');
};
const table: readonly Route[] = [
  ...routes,
  { method: 'get', path: '/fails', code: 200, handler: fail },
  { method: 'get', path: '/cut', code: 200, handler: (_q, r) => void r.write('half', () => r.destroy()) },
];

let app: TestApp;
afterEach(() => app.close());

async function start(accessLogLinesPerSecond = 0) {
  const written: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void written.push(line) });
  app = await startApp({ routes: table, log, accessLogLinesPerSecond });
  return {
    lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>),
    get: (path: string, headers: Record<string, string> = {}) => fetch(`${app.url}${path}`, { headers }),
  };
}

describe('the id of a request', () => {
  it('is the same in the answer and in the line about its failure', async () => {
    const { get, lines } = await start();
    const response = await get('/fails?a=1');
    expect(response.status).toBe(500);
    const requestId = response.headers.get('x-request-id');
    expect(requestId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(lines()).toMatchObject([{ msg: 'request failed', requestId, method: 'GET', url: '/fails?a=1' }]);
  });

  it('is the one that the client gives, where that is a sane one', async () => {
    const { get, lines } = await start();
    const response = await get('/fails', { 'X-Request-Id': 'from-the.proxy_1' });
    expect(response.headers.get('x-request-id')).toBe('from-the.proxy_1');
    expect(lines()[0]?.requestId).toBe('from-the.proxy_1');
  });

  it.each(['', 'a b', 'a"b', 'é', '../..', '{x}', 'a'.repeat(65), 'a, b'])(
    'is another where that is %j',
    async (given) => {
      const { get } = await start();
      const response = await get('/fails', { 'X-Request-Id': given });
      expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    },
  );

  it('is not made where no line tells of the request', async () => {
    const { get, lines } = await start();
    for (const path of ['/products', '/none']) {
      const response = await get(path, { 'X-Request-Id': 'given' });
      await response.text();
      expect(response.headers.get('x-request-id')).toBeNull();
    }
    expect(lines()).toEqual([]);
  });
});

describe('the access log', () => {
  it('has a line for each request that has ended, with the id of its answer', async () => {
    const { get, lines } = await start(100);
    const ids = [];
    for (const path of ['/products', '/none']) {
      const response = await get(path);
      await response.text();
      ids.push(response.headers.get('x-request-id'));
    }
    await until('both lines', () => lines().length === 2);
    const line = { level: 30, msg: 'request', method: 'GET' };
    expect(lines()).toMatchObject([
      { ...line, requestId: ids[0], url: '/products', status: 200 },
      { ...line, requestId: ids[1], url: '/none', status: 404 },
    ]);
  });

  it('tells of a failure with both lines under one id', async () => {
    const { get, lines } = await start(100);
    await (await get('/fails')).text();
    await until('both lines', () => lines().length === 2);
    expect(lines().map(({ level, msg }) => [level, msg])).toEqual([
      [50, 'request failed'],
      [50, 'request'],
    ]);
    expect(new Set(lines().map(({ requestId }) => requestId)).size).toBe(1);
  });

  it('says of an answer that the process cuts what the metrics count: 500, as an error', async () => {
    const { get, lines } = await start(100);
    await expect(get('/cut').then((response) => response.text())).rejects.toThrow();
    await until('the line', () => lines().some(({ msg }) => msg === 'request'));
    expect(lines().filter(({ msg }) => msg === 'request')).toMatchObject([
      { level: 50, url: '/cut', status: 500 },
    ]);
    expect(await app.scrape('http_errors_total')).toContain('http_errors_total{code="500"} 1\n');
  });

  it('cuts what a client makes long', async () => {
    const { get, lines } = await start(100);
    await (await get(`/${'a'.repeat(10_000)}`)).text();
    await until('the line', () => lines().length === 1);
    expect(lines()[0]?.url).toBe(`/${'a'.repeat(199)}...`);
  });
});

describe('the budget of lines', () => {
  it('takes so many in a second, and tells with the next one how many it left out', () => {
    let nowMs = 5_100;
    const budget = createLineBudget(2, () => nowMs);
    const take = (times: number) => Array.from({ length: times }, () => budget.take());
    expect(take(4)).toEqual([0, 0, undefined, undefined]);
    nowMs = 6_000;
    expect(take(3)).toEqual([2, 0, undefined]);
  });

  it('takes none where it is 0', () => {
    expect(createLineBudget(0).take()).toBeUndefined();
  });
});

describe('every answer', () => {
  it.each(['/products', '/cars', '/none', '/fails', '/cars/%zz'])(
    'says nothing of the server, and is no page: %s',
    async (path) => {
      const { get } = await start();
      const response = await get(path);
      const text = await response.text();
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      });
      expect(response.headers.has('x-powered-by')).toBe(false);
      expect(response.headers.has('server')).toBe(false);
      expect(text).not.toMatch(/the reason|node_modules|file:|\bat /);
    },
  );
});
