// Latency is as exact as the counts, with the Prometheus of PROMETHEUS_IMAGE: quantiles are close to those of the generator, and
// counter, classic and native histogram have the same counts.
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { queryValue } from '../support/prometheus.ts';
import { type Stack, startStack } from '../support/stack.ts';

interface LatencyReport {
  latency: { quantile: number; measuredMs: number | null; prometheusMs: number | null }[] | null;
  verification: { verdict: string; answered: number };
  phases: [{ latenessMs: Record<string, number> }];
}

const COUNTER = 'sum(http_requests_total)';
const CLASSIC = 'sum(http_request_duration_seconds_count{path!="unmatched"})';
const NATIVE = 'histogram_count(sum(http_request_duration_seconds{path!="unmatched"}))';
// 0.25 s is a bound of both.
const FRACTION = 'histogram_fraction(0, 0.25, sum(http_request_duration_seconds{path!="unmatched"}))';
const BUCKET = 'sum(http_request_duration_seconds_bucket{path!="unmatched", le="0.25"})';

/** If the timers of the generator were later than this at the 99th percentile, in ms, its figures cannot be compared. */
const QUIET_MS = 5;

/** Within 5 %, and an allowance for delays of the machine between the two clocks: as much as the generator was late. */
function expectNear({ latency, phases }: LatencyReport): void {
  const late = phases[0].latenessMs;
  if ((late.p99 ?? 0) > QUIET_MS) {
    console.warn(`left out: whether quantiles are within 5 %, because timers were ${late.p99} ms late`);
    return;
  }
  const allowedMs: Record<string, number | undefined> = { 0.5: late.p90, 0.9: late.p99, 0.99: late.max };
  const far = (latency ?? []).filter(({ quantile, measuredMs, prometheusMs }) => {
    const [measured, given] = [measuredMs ?? Number.NaN, prometheusMs ?? Number.NaN];
    return !(Math.abs(given - measured) <= 0.05 * measured + (allowedMs[quantile] ?? 0));
  });
  expect(far).toEqual([]);
}

const LATENCIES = {
  'spread evenly': '2-60',
  // Not nine to one: the p90 would be in the gap between the two, where one late response moves it by 70 ms.
  'of two kinds': '5-9x17,80-120x3',
};
let stacks: Stack[];

beforeAll(async () => {
  const environments = Object.values(LATENCIES).map((latency) => ({ SIMULATED_LATENCY_MS: latency }));
  stacks = await Promise.all(environments.map((environment) => startStack({ environment })));
});

afterAll(() => Promise.all((stacks ?? []).map((stack) => stack.stop())));

it.each(Object.keys(LATENCIES).map((name, i) => [name, i] as const))(
  'latencies %s in Prometheus match those of the generator, and all counts are equal',
  async (_name, i) => {
    const { load, prometheusUrl } = stacks[i] as Stack;
    // More connections than needed, so that no request waits for one.
    const words = ['--rate', '100', '--duration', '15s', '--connections', '1500', '--json', '-', '--quiet'];
    const report = JSON.parse((await load('steady', ...words)).stdout) as LatencyReport;
    const { latency, verification } = report;
    expect(verification).toMatchObject({ verdict: 'verified', answered: 1_500 });
    expect(latency?.map(({ quantile }) => quantile)).toEqual([0.5, 0.9, 0.99]);
    expect(latency?.every(({ prometheusMs }) => (prometheusMs ?? 0) > 2)).toBe(true);
    expectNear(report);
    const value = (expression: string) => queryValue(prometheusUrl, expression);
    expect(await Promise.all([COUNTER, CLASSIC, NATIVE].map(value))).toEqual([1_500, 1_500, 1_500]);
    expect(Math.round((await value(FRACTION)) * 1_500 * 1e6) / 1e6).toBe(await value(BUCKET));
  },
);
