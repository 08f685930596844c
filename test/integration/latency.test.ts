// Latency as true as the counts, with a real Prometheus, whichever PROMETHEUS_IMAGE names: quantiles against the generator's, the
// same counts in counter, classic and native histogram, also when the API is restarted between two scrapes, and nothing lost by
// a server that reads protobuf and was not told to keep native histograms.
import { afterEach, describe, expect, it } from '@jest/globals';
import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers';
import { eventually, nextScrape, query, queryValue } from '../support/prometheus-api.ts';
import { settingOf } from '../support/repository.ts';
import { runGenerator, type Stack, startStack } from '../support/stack.ts';

interface LatencyReport {
  latency: { quantile: number; measuredMs: number | null; prometheusMs: number | null }[] | null;
  verification: { verdict: string; answered: number };
  phases: [{ latenessMs: Record<string, number> }];
}

let stack: Stack | undefined;
const others: StartedTestContainer[] = [];
afterEach(async () => {
  await Promise.all(
    others.splice(0).map((container) => container.stop({ remove: true, removeVolumes: true })),
  );
  await stack?.stop();
  stack = undefined;
}, 60_000);

const COUNTER = 'sum(http_requests_total)';
const CLASSIC = 'sum(http_request_duration_seconds_count{path!="unmatched"})';
const NATIVE = 'histogram_count(sum(http_request_duration_seconds{path!="unmatched"}))';

async function send({ network }: Stack, ...flags: string[]): Promise<LatencyReport> {
  const run = ['run', 'steady', '--target', 'http://api:5001', '--prometheus', 'http://prometheus:9090'];
  const { stdout, stderr } = await runGenerator(network, ...run, '--json', '-', '--quiet', ...flags);
  // The engine hands both streams out as one.
  const start = stdout.indexOf('{');
  if (start < 0) throw new Error(`the generator has no report: ${stdout}${stderr}`);
  return JSON.parse(stdout.slice(start)) as LatencyReport;
}

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
  it('are in Prometheus what the generator measured, and the counts are the same everywhere', async () => {
    stack = await startStack({ environment: { SIMULATED_LATENCY_MS: simulated } });
    const { latency, verification, phases } = await send(stack, '--rate', '60', '--duration', '30s');
    expect(verification.verdict).toBe('verified');
    expect(latency?.map(({ quantile }) => quantile)).toEqual([0.5, 0.9, 0.99]);
    expect(latency?.every(({ prometheusMs }) => (prometheusMs ?? 0) > 2)).toBe(true);
    expectNear({ latency, phases });
    const counted = await Promise.all(
      [COUNTER, CLASSIC, NATIVE].map((one) => queryValue(stack?.prometheusUrl ?? '', one)),
    );
    expect(counted).toEqual([verification.answered, verification.answered, verification.answered]);
    expect(verification.answered).toBeGreaterThan(1_000);
    // 0.25 s is a bound of both.
    const within = await queryValue(
      stack.prometheusUrl,
      `histogram_fraction(0, 0.25, sum(http_request_duration_seconds{path!="unmatched"})) * ${verification.answered}`,
    );
    expect(Math.round(within * 1e6) / 1e6).toBe(
      await queryValue(
        stack.prometheusUrl,
        'sum(http_request_duration_seconds_bucket{path!="unmatched", le="0.25"})',
      ),
    );
  }, 180_000);
});

it('misses nothing of an API that is restarted between two scrapes, in none of counter, classic and native', async () => {
  stack = await startStack();
  const { prometheusUrl, apis } = stack;
  const [api] = apis;
  if (!api) throw new Error('expected one API replica');
  const hit = async (times: number) => {
    // The engine chooses another port when it starts the container again.
    const url = `http://${api.container.getHost()}:${api.container.getMappedPort(5001)}/cart`;
    for (let i = 0; i < times; i++) await (await fetch(url)).text();
  };
  await hit(20);
  await nextScrape(prometheusUrl);
  await api.container.restart();
  await eventually('the API to answer again', async () =>
    (await fetch(`http://${api.container.getHost()}:${api.container.getMappedPort(8000)}/readyz`)).ok
      ? true
      : undefined,
  );
  // More than before, so that no value is lower than the one of the scrape before.
  await hit(60);
  await nextScrape(prometheusUrl);
  await nextScrape(prometheusUrl);
  const selector = '{path="cart", method="get"}[5m]';
  const own = '{path="cart", method="get", code="200"}[5m]';
  const resets = await queryValue(prometheusUrl, `resets(http_requests_total${selector})`);
  expect(resets).toBe(1);
  const increases = await Promise.all(
    [
      `increase(http_requests_total${selector})`,
      `increase(http_request_duration_seconds_count${own})`,
      `histogram_count(increase(http_request_duration_seconds${own}))`,
    ].map((expression) => queryValue(prometheusUrl, expression)),
  );
  // 80, and what extrapolation to the ends of the window adds; without created timestamps 40 would be missing of the first two.
  for (const increase of increases) {
    expect(increase).toBeGreaterThanOrEqual(80);
    expect(increase).toBeLessThan(100);
  }
}, 120_000);

it('loses no histogram in a Prometheus that reads protobuf and keeps no native histograms', async () => {
  stack = await startStack();
  const { network } = stack;
  const configuration = `
global: { scrape_interval: 1s }
scrape_configs:
  - job_name: api
    scrape_protocols: [PrometheusProto]
    static_configs: [{ targets: ['api:8000'] }]
`;
  const old = await new GenericContainer(settingOf('PROMETHEUS_IMAGE'))
    .withNetwork(network)
    .withCopyContentToContainer([{ content: configuration, target: '/etc/prometheus/prometheus.yml' }])
    .withCommand(['--config.file=/etc/prometheus/prometheus.yml', '--storage.tsdb.path=/prometheus'])
    .withExposedPorts(9090)
    .withWaitStrategy(Wait.forHttp('/-/ready', 9090))
    .start();
  others.push(old);
  const url = `http://${old.getHost()}:${old.getMappedPort(9090)}`;
  await eventually('a scrape', async () => ((await query(url, 'up == 1')).length > 0 ? true : undefined));
  const series = (name: string) => queryValue(url, `count({__name__="${name}"})`);
  const cells = await series('http_request_duration_seconds_count');
  expect(cells).toBeGreaterThan(20);
  expect(await series('http_request_duration_seconds_bucket')).toBe(14 * cells);
  expect(await query(url, '{__name__="http_request_duration_seconds"}')).toEqual([]);
  expect(await series('process_cpu_seconds_total')).toBe(1);
}, 120_000);
