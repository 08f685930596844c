// From a number to the request, in the stack itself. Prometheus stores the exemplars of a run with two kinds of latency; the
// generator's report lists the same requests as slow, and the API's log has the same ids.
import { beforeAll, expect, it } from '@jest/globals';
import axios from 'axios';
import type { Report } from 'exact-load';
import { run } from '../support/command.ts';
import { nextScrape } from '../support/prometheus.ts';
import { useStack } from '../support/stack.ts';

interface ExemplarSeries {
  readonly seriesLabels: Record<string, string>;
  readonly exemplars: readonly { readonly labels: { readonly trace_id: string }; readonly value: string }[];
}

/** About seven of 1,000 take seconds; no busy machine makes the others that slow. */
const environment = {
  SIMULATED_LATENCY_MS: '2-10x142,3000-4000',
  SIMULATED_ERROR_RATIO: '0.01',
  ACCESS_LOG_LINES_PER_SECOND: '1000',
};

const SLOW_SECONDS = 2;
/** The report has milliseconds. */
const ROUNDING_SECONDS = 0.005;

const stack = useStack({ environment });
let report: Report;
beforeAll(async () => {
  const words = ['--trace', '--rate', '100', '--duration', '10s', '--json', '-', '--quiet'];
  report = JSON.parse((await stack.load('steady', ...words)).stdout) as Report;
  await nextScrape(stack.prometheusUrl);
});

/** The stored exemplars of the series in `query`. */
async function exemplarsOf(
  query: string,
): Promise<{ series: Record<string, string>; id: string; value: number }[]> {
  const url = `${stack.prometheusUrl}/api/v1/query_exemplars`;
  const params = { query, start: Date.now() / 1000 - 600, end: Date.now() / 1000 };
  const { data } = await axios.get<{ data: ExemplarSeries[] }>(url, { params });
  return data.data.flatMap(({ seriesLabels: series, exemplars }) =>
    exemplars.map(({ labels, value }) => ({ series, id: labels.trace_id, value: Number(value) })),
  );
}

it.each(['http_request_duration_seconds_bucket', 'http_request_duration_seconds'])(
  'the slow exemplars of %s are requests that the report lists as slow',
  async (metric) => {
    const { slowest = [] } = report.phases[0] ?? {};
    const listed = new Map(slowest.map(({ traceId, serviceTimeMs }) => [traceId, serviceTimeMs / 1000]));
    const found = await exemplarsOf(metric);
    const slow = found.filter(({ value }) => value > SLOW_SECONDS);
    expect(slow.length).toBeGreaterThan(0);
    // The generator measures at least as long. A request may be missing from the list only if all on it took longer.
    const least = Math.min(...listed.values());
    const isMissing = ({ id, value }: { id: string; value: number }) =>
      (listed.get(id) ?? least) < value - ROUNDING_SECONDS;
    expect(slow.filter(isMissing)).toEqual([]);
  },
);

it('the exemplar of a bucket has a value of that bucket', async () => {
  const found = await exemplarsOf('http_request_duration_seconds_bucket');
  expect(found.length).toBeGreaterThan(3);
  for (const { series, value } of found)
    expect(value).toBeLessThanOrEqual(Number(series.le?.replace('+Inf', 'Infinity')));
});

it('the API has logged the slow and the failed requests with the same ids', async () => {
  const { stderr } = await run('docker', ['logs', stack.api.getId()]);
  const lines = stderr.trim().split('\n');
  const byId = new Map(lines.map((line) => JSON.parse(line)).map((line) => [line.traceId, line]));
  const slow = (await exemplarsOf('http_request_duration_seconds')).filter(
    ({ value }) => value > SLOW_SECONDS,
  );
  expect(slow.length).toBeGreaterThan(0);
  for (const { id } of slow) expect(byId.get(id)?.durationMs).toBeGreaterThan(SLOW_SECONDS * 1000);
  const failed = await exemplarsOf('http_errors_total{code="500"}');
  expect(failed.length).toBeGreaterThan(0);
  for (const { id } of failed) expect(byId.get(id)).toMatchObject({ status: 500, msg: 'request' });
});
