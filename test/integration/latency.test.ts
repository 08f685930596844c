// Latency is as exact as the counts, with the Prometheus of PROMETHEUS_IMAGE: quantiles are those of the API's log and not above those
// of the generator, and counter, classic and native histogram have the same counts.
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { run } from '../support/command.ts';
import { queryValue } from '../support/prometheus.ts';
import { type Stack, startStack } from '../support/stack.ts';

interface LatencyReport {
  latency: { quantile: number; measuredMs: number | null; prometheusMs: number | null }[] | null;
  verification: { verdict: string; answered: number };
}

const COUNTER = 'sum(http_requests_total)';
const CLASSIC = 'sum(http_request_duration_seconds_count{path!="unmatched"})';
const NATIVE = 'histogram_count(sum(http_request_duration_seconds{path!="unmatched"}))';
// 0.25 s is a bound of both.
const FRACTION = 'histogram_fraction(0, 0.25, sum(http_request_duration_seconds{path!="unmatched"}))';
const BUCKET = 'sum(http_request_duration_seconds_bucket{path!="unmatched", le="0.25"})';

/** The log rounds to milliseconds. */
const ROUNDING_MS = 1;

/**
 * Within 5 % of the durations in the API's log, and at most 5 % above those of the generator: on a busy machine these are longer by
 * any amount, because they include the way to the API.
 */
function expectNear({ latency }: LatencyReport, loggedMs: readonly number[]): void {
  const sorted = loggedMs.toSorted((a, b) => a - b);
  const compared = (latency ?? []).map(({ quantile, measuredMs, prometheusMs }) => {
    const logged = sorted[Math.ceil(quantile * sorted.length) - 1] ?? Number.NaN;
    return { quantile, logged, measured: measuredMs ?? Number.NaN, given: prometheusMs ?? Number.NaN };
  });
  const isNear = (given: number, exact: number) => Math.abs(given - exact) <= 0.05 * exact + ROUNDING_MS;
  const far = compared.filter(
    ({ logged, measured, given }) => !(isNear(given, logged) && given <= 1.05 * measured + ROUNDING_MS),
  );
  expect(far).toEqual([]);
}

/** The durations in the API's log. */
async function durationsOf({ api }: Stack): Promise<number[]> {
  const { stderr } = await run('docker', ['logs', api.getId()]);
  const lines = stderr.trim().split('\n');
  return lines.flatMap((line) => (JSON.parse(line) as { durationMs?: number }).durationMs ?? []);
}

const LATENCIES = {
  'spread evenly': '2-60',
  // Not nine to one: the p90 would be in the gap between the two, where one late response moves it by 70 ms.
  'of two kinds': '5-9x17,80-120x3',
};
let stacks: Stack[];

beforeAll(async () => {
  const environments = Object.values(LATENCIES).map((latency) => ({
    ...{ SIMULATED_LATENCY_MS: latency, ACCESS_LOG_LINES_PER_SECOND: '1000' },
  }));
  stacks = await Promise.all(environments.map((environment) => startStack({ environment })));
});

afterAll(() => Promise.all((stacks ?? []).map((stack) => stack.stop())));

it.each(Object.keys(LATENCIES).map((name, i) => [name, i] as const))(
  'latencies %s in Prometheus match those of the generator, and all counts are equal',
  async (_name, i) => {
    const stack = stacks[i] as Stack;
    const { load, prometheusUrl } = stack;
    // More connections than needed, so that no request waits for one.
    const words = ['--rate', '100', '--duration', '15s', '--connections', '1500', '--json', '-', '--quiet'];
    const report = JSON.parse((await load('steady', ...words)).stdout) as LatencyReport;
    const { latency, verification } = report;
    expect(verification).toMatchObject({ verdict: 'verified', answered: 1_500 });
    expect(latency?.map(({ quantile }) => quantile)).toEqual([0.5, 0.9, 0.99]);
    expect(latency?.every(({ prometheusMs }) => (prometheusMs ?? 0) > 2)).toBe(true);
    const logged = await durationsOf(stack);
    expect(logged).toHaveLength(1_500);
    expectNear(report, logged);
    const value = (expression: string) => queryValue(prometheusUrl, expression);
    expect(await Promise.all([COUNTER, CLASSIC, NATIVE].map(value))).toEqual([1_500, 1_500, 1_500]);
    expect(Math.round((await value(FRACTION)) * 1_500 * 1e6) / 1e6).toBe(await value(BUCKET));
  },
);
