// Latency as exact as the counts, with a real Prometheus, whichever PROMETHEUS_IMAGE names: quantiles against the generator's, the
// same counts in counter, classic and native histogram, also when the API is restarted between two scrapes, and nothing lost by
// a server that reads protobuf and does not keep native histograms.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import axios from 'axios';
import { GenericContainer, Wait } from 'testcontainers';
import { nextScrape, query, queryValue } from '../support/prometheus.ts';
import { settingOf } from '../support/repository.ts';
import { type Stack, startStack, urlOf } from '../support/stack.ts';
import { eventually } from '../support/until.ts';

interface LatencyReport {
  latency: { quantile: number; measuredMs: number | null; prometheusMs: number | null }[] | null;
  verification: { verdict: string; answered: number };
  phases: [{ latenessMs: Record<string, number> }];
}

const COUNTER = 'sum(http_requests_total)';
const CLASSIC = 'sum(http_request_duration_seconds_count{path!="unmatched"})';
const NATIVE = 'histogram_count(sum(http_request_duration_seconds{path!="unmatched"}))';

/** Above this many ms at the 99th percentile the generator was too late at its own timers for a comparison. */
const QUIET_MS = 5;

/** Within 5 %, and what the machine puts between the two clocks: as much as the generator was late. */
function expectNear({ latency, phases }: Pick<LatencyReport, 'latency' | 'phases'>): void {
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

describe.each([
  ['spread evenly', '2-60'],
  // Not nine to one: the p90 would lie in the gap between the two, where a single late answer moves it by 70 ms.
  ['of two kinds', '5-9x17,80-120x3'],
])('latencies %s (%s ms)', (_name, simulated) => {
  let stack: Stack;

  beforeAll(async () => {
    stack = await startStack({ environment: { SIMULATED_LATENCY_MS: simulated } });
  });

  afterAll(() => stack?.stop());

  it('are in Prometheus what the generator measured, and the counts are the same everywhere', async () => {
    const { stdout } = await stack.load(
      'steady',
      ...['--rate', '100', '--duration', '15s'],
      ...['--json', '-', '--quiet'],
    );
    const { latency, verification, phases } = JSON.parse(stdout) as LatencyReport;
    expect(verification.verdict).toBe('verified');
    expect(latency?.map(({ quantile }) => quantile)).toEqual([0.5, 0.9, 0.99]);
    expect(latency?.every(({ prometheusMs }) => (prometheusMs ?? 0) > 2)).toBe(true);
    expectNear({ latency, phases });
    const value = (expression: string) => queryValue(stack.prometheusUrl, expression);
    const counted = await Promise.all([COUNTER, CLASSIC, NATIVE].map(value));
    expect(counted).toEqual([verification.answered, verification.answered, verification.answered]);
    expect(verification.answered).toBeGreaterThan(1_000);
    // 0.25 s is a bound of both.
    const fraction = 'histogram_fraction(0, 0.25, sum(http_request_duration_seconds{path!="unmatched"}))';
    const within = await value(`${fraction} * ${verification.answered}`);
    expect(Math.round(within * 1e6) / 1e6).toBe(
      await value('sum(http_request_duration_seconds_bucket{path!="unmatched", le="0.25"})'),
    );
  });
});

describe('an API without traffic of its own', () => {
  let stack: Stack;

  beforeAll(async () => {
    stack = await startStack();
  });

  afterAll(() => stack?.stop());

  it('is missed by none of counter, classic and native when it is restarted between two scrapes', async () => {
    const { prometheusUrl, api } = stack;
    // The engine chooses another port when it starts the container again.
    const hit = async (times: number) => {
      for (let i = 0; i < times; i++) await axios.get(`${urlOf(api.container, 5001)}/cart`);
    };
    await hit(20);
    await nextScrape(prometheusUrl);
    await api.container.restart();
    await eventually('the API to answer again', () => axios.get(`${urlOf(api.container, 8000)}/readyz`));
    // More than before, so that no value is lower than in the previous scrape.
    await hit(60);
    await nextScrape(prometheusUrl);
    await nextScrape(prometheusUrl);
    const selector = '{path="cart", method="get"}[5m]';
    const own = '{path="cart", method="get", code="200"}[5m]';
    expect(await queryValue(prometheusUrl, `resets(http_requests_total${selector})`)).toBe(1);
    // 80, and what extrapolation to the ends of the window adds; without created timestamps 40 would be missing of the first two.
    for (const expression of [
      `increase(http_requests_total${selector})`,
      `increase(http_request_duration_seconds_count${own})`,
      `histogram_count(increase(http_request_duration_seconds${own}))`,
    ]) {
      const increase = await queryValue(prometheusUrl, expression);
      expect(increase).toBeGreaterThanOrEqual(80);
      expect(increase).toBeLessThan(100);
    }
  });

  it('loses no histogram in a Prometheus that reads protobuf and keeps no native histograms', async () => {
    const content = `
global: { scrape_interval: 1s }
scrape_configs:
  - job_name: api
    scrape_protocols: [PrometheusProto]
    static_configs: [{ targets: ['api:8000'] }]
`;
    const old = await new GenericContainer(settingOf('PROMETHEUS_IMAGE'))
      .withNetwork(stack.network)
      .withCopyContentToContainer([{ content, target: '/etc/prometheus/prometheus.yml' }])
      .withCommand(['--config.file=/etc/prometheus/prometheus.yml', '--storage.tsdb.path=/prometheus'])
      .withExposedPorts(9090)
      .withWaitStrategy(Wait.forHttp('/-/ready', 9090))
      .start();
    try {
      const url = urlOf(old, 9090);
      await eventually('a scrape', async () => (await query(url, 'up == 1')).length > 0);
      const series = (name: string) => queryValue(url, `count({__name__="${name}"})`);
      const cells = await series('http_request_duration_seconds_count');
      expect(cells).toBeGreaterThan(20);
      expect(await series('http_request_duration_seconds_bucket')).toBe(14 * cells);
      expect(await query(url, 'count({__name__="http_request_duration_seconds"})')).toEqual([]);
      expect(await series('process_cpu_seconds_total')).toBe(1);
    } finally {
      await old.stop({ remove: true, removeVolumes: true });
    }
  });
});
