/** Whatever Prometheus holds of the API, a run ends with a summary and a verdict. */
import { describe, expect, it } from '@jest/globals';
import { useLab } from './loadgen.ts';

const lab = useLab();

const HUNDRED = 'hundred: 100 requests sent';

/** Sends 100 requests, after the first of which Prometheus shows everything changed. */
async function sendWhile(change: () => void) {
  lab.stack.api.intercept = () => {
    change();
    lab.stack.api.intercept = () => false;
    return false;
  };
  return lab.run(`hundred ${lab.prometheus} --wait 500ms`);
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
const METRICS = [
  'http_requests_total',
  'http_errors_total',
  'http_request_duration_seconds_count',
  'inprogress_requests',
  'process_start_time_seconds',
  'http_server_drained',
];

describe.each(METRICS)('%s', (metric) => {
  it.each(SHAPES)('as %s ends in a summary and a verdict', async (_name, shape) => {
    lab.stack.api.count('http_errors_total{code="404"}', 0);
    const { code, out, err } = await sendWhile(() => {
      // Too many, so that no later scrape is waited for.
      lab.stack.api.count('http_request_duration_seconds_count{path="spare",method="get",code="200"}');
      lab.stack.api.count('http_requests_total{path="spare",method="get"}');
      lab.stack.prometheus.reshape = (sample) =>
        sample.metric.__name__ === metric ? { metric: sample.metric, ...shape(sample.value) } : sample;
    });
    expect(out).toContain(HUNDRED);
    expect(`${out}${err}`).toMatch(/^(verification FAILED|unverifiable):|^loadgen: not verified: /m);
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
])('%s as answer to every query ends in a summary', async (_name, data) => {
  const { code, out, err } = await sendWhile(() => {
    lab.stack.prometheus.answerOf = () => data;
  });
  expect([code, out]).toEqual([3, expect.stringContaining(HUNDRED)]);
  expect(err).toMatch(/^loadgen: not verified: /m);
});

describe('the latency of a run', () => {
  it('stands next to that of Prometheus, and decides nothing', async () => {
    lab.stack.prometheus.quantiles = [{ metric: {}, value: [0, '9.87'] }];
    const { code, out } = await sendWhile(() => {});
    expect(out).toMatch(
      /^service time +generator +prometheus\np50 +[\d.]+[mu]s +9.87s\np90 .+\np99 .+9.87s$/m,
    );
    expect(code).toBe(0);
  });

  it.each([
    ['there is no histogram', []],
    ['its buckets are no help', [{ metric: {}, value: [0, 'NaN'] as [number, string] }]],
    ['a quantile lies in the last bucket', [{ metric: {}, value: [0, '+Inf'] as [number, string] }]],
  ])('has a dash where %s', async (_name, quantiles) => {
    lab.stack.prometheus.quantiles = quantiles;
    const { code, out } = await sendWhile(() => {});
    expect(out).toMatch(/^p99 +[\d.]+m?u?s +-$/m);
    expect(code).toBe(0);
  });
});
