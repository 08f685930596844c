/** `loadgen query`, against a server that answers as Prometheus does. */
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { loadgen } from './loadgen.ts';
import { serveHttp, type TestServer } from './servers.ts';

const refusal = { status: 'error', errorType: 'bad_data', error: 'parse error: unclosed left parenthesis' };
const success = (resultType: string, result: unknown) => ({
  status: 'success',
  data: { resultType, result },
});
const ANSWERS: Record<string, unknown> = {
  http_requests_total: success('vector', [
    { metric: { __name__: 'http_requests_total', path: 'cart', method: 'get' }, value: [1, '20'] },
    { metric: { __name__: 'http_requests_total', path: 'products', job: 'api' }, value: [1, '1040'] },
  ]),
  'sum(http_requests_total)': success('vector', [{ metric: {}, value: [1, '100'] }]),
  'up[10s]': success('matrix', [
    {
      metric: { job: 'api' },
      values: [
        [1, '0'],
        [6, '1'],
      ],
    },
  ]),
  native: success('vector', [{ metric: { path: 'cart' }, histogram: [1, { count: '20', sum: '1.5' }] }]),
  '1 + 1': success('scalar', [1, '2']),
  '"text"': success('string', [1, 'text']),
  nothing: success('vector', []),
  'sum(': refusal,
};

let server: TestServer;
beforeAll(async () => {
  server = await serveHttp(async (request, response) => {
    const answer = ANSWERS[new URLSearchParams(await text(request)).get('query') ?? ''];
    response.writeHead(answer === refusal ? 400 : 200).end(JSON.stringify(answer));
  });
});
afterAll(() => server.stop());

const ask = (expression: string) => loadgen(['query', expression, '-p', server.url]);

it.each([
  [
    'http_requests_total',
    [
      'metric               job  method  path      value',
      'http_requests_total       get     cart         20',
      'http_requests_total  api          products   1040',
      '',
    ].join('\n'),
  ],
  ['sum(http_requests_total)', 'value\n  100\n'],
  ['up[10s]', 'job  value\napi    0 1\n'],
  ['native', 'path              value\ncart  count 20, sum 1.5\n'],
  ['1 + 1', '2\n'],
  ['"text"', 'text\n'],
])('prints the answer to %s as a table', async (expression, out) => {
  expect(await ask(expression)).toEqual({ code: 0, out, err: '' });
});

it('says that nothing matches, and prints no table', async () => {
  const { code, out, err } = await ask('nothing');
  expect({ code, out }).toEqual({ code: 0, out: '' });
  expect(err).toContain('Nothing matches');
});

it('passes on what Prometheus says of a query that it refuses, with exit code 2', async () => {
  const { code, err } = await ask('sum(');
  expect(code).toBe(2);
  expect(err).toContain('parse error: unclosed left parenthesis');
});
