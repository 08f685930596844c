/** The id of a request in its response and in the log, and the number of lines. */
import { describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { until } from '../../test/support/until.ts';
import { createLineBudget } from '../src/request-log.ts';
import { type Route, routes } from '../src/routes.ts';
import { start as startService } from './harness.ts';

const fail = () => {
  throw new Error('the reason');
};
const table: readonly Route[] = [
  ...routes,
  { method: 'get', path: '/fails', code: 200, handler: fail },
  { method: 'get', path: '/cut', code: 200, handler: (_q, r) => void r.write('half', () => r.destroy()) },
];

async function start(linesPerSecond = '0') {
  const written: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void written.push(line) });
  const { api, scrape } = await startService({ ACCESS_LOG_LINES_PER_SECOND: linesPerSecond }, table, log);
  const lines = () => written.map((line) => JSON.parse(line) as Record<string, unknown>);
  return {
    lines,
    scrape,
    /** Polls until there are `count` lines. */
    async logged(count: number) {
      await until(`${count} lines`, () => lines().length === count);
      return lines();
    },
    /** The id in the response, which is read completely. */
    async idOf(path: string, given?: string, more: Record<string, string> = {}) {
      const response = await fetch(api + path, {
        headers: { ...more, ...(given !== undefined && { 'X-Request-Id': given }) },
      });
      await response.text();
      return response.headers.get('x-request-id');
    },
  };
}

describe('the id of a request', () => {
  it('is the same in the response and in the log line of its failure', async () => {
    const { idOf, logged } = await start();
    const requestId = await idOf('/fails?a=1');
    expect(requestId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(await logged(1)).toMatchObject([
      { msg: 'request failed', requestId, method: 'GET', url: '/fails?a=1' },
    ]);
  });

  it('is the one that the client sends, if that is valid', async () => {
    const { idOf, lines } = await start();
    expect(await idOf('/fails', 'from-the.proxy_1')).toBe('from-the.proxy_1');
    expect(lines()[0]?.requestId).toBe('from-the.proxy_1');
  });

  it.each(['', 'a b', 'a"b', 'é', '../..', '{x}', 'a'.repeat(65), 'a, b'])(
    'is replaced if that is %j',
    async (given) => expect(await (await start()).idOf('/fails', given)).toMatch(/^[0-9a-f-]{36}$/),
  );

  it('is not created for a request without a log line', async () => {
    const { idOf, lines } = await start();
    expect([await idOf('/products', 'given'), await idOf('/none', 'given'), ...lines()]).toEqual([
      null,
      null,
    ]);
  });
});

describe('the access log', () => {
  it('has a line for each completed request, with the id of its response', async () => {
    const { idOf, logged } = await start('100');
    const ids = [await idOf('/products'), await idOf('/none')];
    const line = { level: 30, msg: 'request', method: 'GET' };
    expect(await logged(2)).toMatchObject([
      { ...line, requestId: ids[0], url: '/products', status: 200 },
      { ...line, requestId: ids[1], url: '/none', status: 404 },
    ]);
  });

  it('has two lines for a failure, with the same id', async () => {
    const { idOf, logged } = await start('100');
    const requestId = await idOf('/fails');
    expect(await logged(2)).toMatchObject([
      { level: 50, msg: 'request failed', requestId },
      { level: 50, msg: 'request', requestId },
    ]);
  });

  it('logs a response that the process cuts like the metrics count it, as 500', async () => {
    const { idOf, logged, scrape } = await start('100');
    await expect(idOf('/cut')).rejects.toThrow();
    expect(await logged(1)).toMatchObject([{ level: 50, msg: 'request', url: '/cut', status: 500 }]);
    expect(await scrape('http_errors_total')).toContain('http_errors_total{code="500"} 1\n');
  });

  it('truncates long values from clients', async () => {
    const { idOf, logged } = await start('100');
    await idOf(`/${'a'.repeat(10_000)}`);
    expect(await logged(1)).toMatchObject([{ url: `/${'a'.repeat(199)}...` }]);
  });
});

describe('the trace id of a request', () => {
  const id = 'ab'.repeat(16);

  it('is in the log line of its failure, as in exemplars', async () => {
    const { idOf, logged } = await start();
    await idOf('/fails', undefined, { traceparent: `00-${id}-${'cd'.repeat(8)}-01` });
    expect(await logged(1)).toMatchObject([{ msg: 'request failed', traceId: id }]);
  });

  it('is missing if the header is invalid', async () => {
    const { idOf, logged } = await start('100');
    await idOf('/cart', undefined, { traceparent: `00-${id}\t"}-01` });
    const [line] = await logged(1);
    expect(line).not.toHaveProperty('traceId');
  });
});

describe('the budget of lines', () => {
  it('limits the lines per second, and reports the number of dropped lines with the next one', () => {
    let nowMs = 5_100;
    const takeLine = createLineBudget(2, () => nowMs);
    const take = (times: number) => Array.from({ length: times }, takeLine);
    expect(take(4)).toEqual([0, 0, undefined, undefined]);
    nowMs = 6_000;
    expect(take(3)).toEqual([2, 0, undefined]);
  });
});
