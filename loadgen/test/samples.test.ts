/** For any data of the API in Prometheus, a run ends with a summary and a verdict. */
import { describe, expect, it } from '@jest/globals';
import { useFakeStack } from './fake-stack.ts';
import { loadgen } from './loadgen.ts';

const stack = useFakeStack();
const HUNDRED = expect.stringContaining('hundred: 100 requests sent');

/** Sends 100 requests; after the first, Prometheus returns changed data. */
async function sendWhile(change: () => void) {
  stack.api.beforeRequest(1, change);
  return loadgen(['run', 'hundred', ...stack.toTarget, ...stack.verified, '--wait', '10s']);
}

type Shape = (value: [number, string]) => object;
const SHAPES: readonly [string, Shape][] = [
  ...['NaN', '+Inf', '-1', '0.5', '1e308', '9007199254740993'].map((text): [string, Shape] => [
    `"${text}"`,
    ([at]) => ({ value: [at, text] }),
  ]),
  ['a native histogram', ([at]) => ({ histogram: [at, { count: '3', sum: '1', buckets: [] }] })],
  ['neither value nor histogram', () => ({})],
];

describe.each([
  'http_requests_total',
  'http_errors_total',
  'http_request_duration_seconds_count',
  'inprogress_requests',
  'process_start_time_seconds',
  'http_server_drained',
])('%s', (metric) => {
  it.each(SHAPES)('as %s leads to a summary and a verdict', async (_name, shape) => {
    stack.api.count('http_errors_total{code="404"}', 0);
    const { code, out, err } = await sendWhile(() => {
      // Too many, so that the run does not wait for a later scrape.
      stack.api.count('http_request_duration_seconds_count{path="spare",method="get",code="200"}');
      stack.api.count('http_requests_total{path="spare",method="get"}');
      stack.prometheus.reshape = (sample) =>
        sample.metric.__name__ === metric ? { metric: sample.metric, ...shape(sample.value) } : sample;
    });
    expect(out).toEqual(HUNDRED);
    expect(`${out}${err}`).toMatch(/^(verification FAILED|unverifiable):|^exact-load: not verified: /m);
    expect([1, 3]).toContain(code);
  });
});

it.each([
  ['a string', { resultType: 'string', result: [0, 'text'] }],
  ['a scalar', { resultType: 'scalar', result: [0, 'NaN'] }],
  ['an empty vector', { resultType: 'vector', result: [] }],
  ['a matrix with gaps', { resultType: 'matrix', result: [{ metric: {} }, { metric: {}, values: [] }] }],
  ['something else', { resultType: 'streams', result: [] }],
  ['nothing', null],
])('%s as the response to every query leads to a summary', async (_name, data) => {
  const { code, out, err } = await sendWhile(() => {
    stack.prometheus.answerOf = () => data;
  });
  expect([code, out]).toEqual([3, HUNDRED]);
  expect(err).toMatch(/^exact-load: not verified: /m);
});

it.each([
  ['a value', [{ metric: {}, value: [0, '9.87'] }], '9.87s'],
  ['no histogram', [], '-'],
  ['a quantile that its buckets cannot give', [{ metric: {}, value: [0, 'NaN'] }], '-'],
  ['a quantile in its last bucket', [{ metric: {}, value: [0, '+Inf'] }], '-'],
])(
  'shows the latency next to that of Prometheus, which does not affect the verdict: %s',
  async (_, quantiles, shown) => {
    stack.prometheus.quantiles = quantiles as typeof stack.prometheus.quantiles;
    const { code, out } = await sendWhile(() => {});
    const row = (name: string) => `${name} +[\\d.]+[mu]?s +${shown}\n`;
    expect(out).toMatch(
      new RegExp(`^service time +generator +prometheus\n${row('p50')}${row('p90')}${row('p99')}`, 'm'),
    );
    expect(code).toBe(0);
  },
);
