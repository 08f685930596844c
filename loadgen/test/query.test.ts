/** `exact-load query`, against a server that responds like Prometheus. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { freePort } from '../../test/support/free-port.ts';
import { loadgen } from './loadgen.ts';
import { serveHttp, stopServers } from './servers.ts';

const REFUSED = 'parse error: unclosed left parenthesis';
const ANSWERS: Record<string, [resultType: string, result: unknown]> = {
  http_requests_total: [
    'vector',
    [
      { metric: { __name__: 'http_requests_total', path: 'cart', method: 'get' }, value: [1, '20'] },
      { metric: { __name__: 'http_requests_total', path: 'products', job: 'api' }, value: [1, '1040'] },
    ],
  ],
  'sum(http_requests_total)': ['vector', [{ metric: {}, value: [1, '100'] }]],
  'up[10s]': ['matrix', [{ metric: { job: 'api' }, values: [1, 6].map((at, n) => [at, `${n}`]) }]],
  native: ['vector', [{ metric: { path: 'cart' }, histogram: [1, { count: '20', sum: '1.5' }] }]],
  '1 + 1': ['scalar', [1, '2']],
  '"text"': ['string', [1, 'text']],
  nothing: ['vector', []],
};

let url = '';
beforeAll(async () => {
  const server = await serveHttp((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://prometheus');
    const answer = ANSWERS[searchParams.get('query') ?? ''];
    const [resultType, result] = answer ?? [];
    const refusal = { status: 'error', errorType: 'bad_data', error: REFUSED };
    const body = answer === undefined ? refusal : { status: 'success', data: { resultType, result } };
    response.writeHead(answer === undefined ? 400 : 200).end(JSON.stringify(body));
  });
  url = server.url;
});
afterAll(stopServers);

const ask = (expression: string, prometheus = url) => loadgen(['query', expression, '-p', prometheus]);

const TABLE = `metric               job  method  path      value
http_requests_total       get     cart         20
http_requests_total  api          products   1040
`;
it.each([
  ['http_requests_total', TABLE],
  ['sum(http_requests_total)', 'value\n  100\n'],
  ['up[10s]', 'job  value\napi    0 1\n'],
  ['native', 'path              value\ncart  count 20, sum 1.5\n'],
  ['1 + 1', '2\n'],
  ['"text"', 'text\n'],
])('prints the result of %s as a table', async (expression, out) => {
  expect(await ask(expression)).toEqual({ code: 0, out, err: '' });
});

it.each([
  ['reports that nothing matches, and prints no table', 'nothing', 0, 'No series matches'],
  ['passes on the reason for which Prometheus refuses a query, with exit code 2', 'sum(', 2, REFUSED],
])('%s', async (_, expression, code, err) => {
  expect(await ask(expression)).toEqual({ code, out: '', err: expect.stringContaining(err) });
});

it('reports the address of a Prometheus that does not respond, with exit code 3', async () => {
  const silent = `http://localhost:${await freePort()}`;
  expect(await ask('up', silent)).toMatchObject({ code: 3, err: expect.stringContaining(silent) });
});
