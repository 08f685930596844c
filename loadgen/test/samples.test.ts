/** Whatever Prometheus holds of the API, a run ends with a summary and a verdict. */
import { describe, expect, it, jest } from '@jest/globals';
import { useLab } from './loadgen.ts';

jest.setTimeout(60_000);
const lab = useLab();

const HUNDRED = 'hundred: 100 requests sent';

/** Sends 100 requests, after the first of which Prometheus shows everything changed. */
async function sendWhile(change: () => void) {
  lab.stack.api.intercept = () => {
    change();
    lab.stack.api.intercept = () => false;
    return false;
  };
  return lab.run(`hundred ${lab.prometheus} --wait 200ms`);
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

it.each<[string, RegExp, string]>([
  ['the counter', /^http_requests_total$/, 'Prometheus has no http_requests_total'],
  ['the histogram', /_count$/, 'Prometheus has no http_request_duration_seconds_count'],
  ['the gauge', /^inprogress/, 'Prometheus has no inprogress_requests of api-1:8000'],
  ['the start time', /^process_start/, 'api-1:8000 of job "api" in Prometheus has no process_start_time'],
])('names %s that is dropped after the run began', async (_name, dropped, text) => {
  const { code, out } = await sendWhile(() => {
    lab.stack.api.count('http_errors_total{code="500"}');
    lab.stack.prometheus.keep = ({ metric }) => !dropped.test(metric.__name__ ?? '');
  });
  expect([code, out]).toEqual([1, expect.stringContaining(HUNDRED)]);
  expect(out).toMatch(/^(verification FAILED|unverifiable):/m);
  expect(out).toContain(text);
});

it('does not verify a run whose gauge is missing, and says why', async () => {
  lab.stack.prometheus.keep = ({ metric }) => metric.__name__ !== 'inprogress_requests';
  const { code, out } = await sendWhile(() => {});
  expect(code).toBe(1);
  expect(out).toContain('verification inconclusive:\n');
  expect(out).toContain('  Prometheus has no inprogress_requests of api-1:8000: requests may still be');
});

it('finds a request that is counted again after a scrape at which all was equal', async () => {
  let equal = 0;
  lab.stack.prometheus.reshape = (sample) => {
    const isOne = sample.metric.__name__ === 'http_requests_total' && sample.metric.path === 'cart';
    if (!isOne || sample.metric.method !== 'get' || sample.value[1] !== '20' || ++equal === 1) return sample;
    return { ...sample, value: [sample.value[0], '21'] };
  };
  const { code, out } = await sendWhile(() => {});
  expect(code).toBe(1);
  expect(out).toContain('http_requests_total{path="cart",method="get"}: counted 1 more than sent');
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
