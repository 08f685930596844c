/** Readers of the registry other than our handler get plain data, which the client library's functions accept. */
import { expect, it } from '@jest/globals';
import {
  AggregatorRegistry,
  Counter,
  Gauge,
  type OpenMetricsContentType,
  Registry,
} from '@prometheus-io/client';
import express from 'express';
import { instrument } from '../src/index.ts';
import { textOf } from './expositions.ts';
import { startApp } from './harness.ts';

type Families = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

async function counted(options = {}) {
  const app = await startApp((application) => application.get('/a', (_, response) => response.end()), {
    nativeHistograms: true,
    defaultMetrics: true,
    ...options,
  });
  await fetch(`${app.url}/a`);
  await app.settled(1);
  await app.close();
  return app.metrics.registry;
}

it('can be cloned by structuredClone, and so by postMessage and v8.serialize', async () => {
  const families = await (await counted()).getMetricsAsJSON();
  expect(families.length).toBeGreaterThan(20);
  expect(structuredClone(families)).toEqual(JSON.parse(JSON.stringify(families)));
});

it('aggregates over processes, by the aggregator of each metric', async () => {
  const registries = [await counted(), await counted()];
  const all = await Promise.all(registries.map((registry) => registry.getMetricsAsJSON()));
  expect(all[0]?.filter(({ aggregator }) => aggregator === undefined)).toEqual([]);
  const text = await AggregatorRegistry.aggregate(all).metrics();
  const lines = [
    'http_requests_total{path="/a",method="get"} 2',
    'inprogress_requests 0',
    'http_errors_total{code="404"} 0',
    'http_request_duration_seconds_bucket{path="/a",method="get",code="200",le="+Inf"} 2',
    'http_request_duration_seconds_count{path="/a",method="get",code="200"} 2',
  ];
  expect(text.split('\n')).toEqual(expect.arrayContaining(lines));
});

it('gives each reader its own copy of the request metrics', async () => {
  const registry = await counted({ defaultMetrics: false });
  const read = async () =>
    (await registry.getMetricsAsJSON()).filter(({ name }) =>
      /^http_(requests|errors|request_duration)_/.test(name),
    ) as Families;
  const before = await read();
  const plain = JSON.stringify(before);
  for (const { values } of before)
    for (const sample of values) {
      sample.value = -1;
      Object.assign(sample.labels, { path: 'changed', code: 'changed' });
    }
  expect(JSON.stringify(await read())).toBe(plain);
});

it('can be merged with another registry, read as an array or one by one, and reset without loss', async () => {
  const registry = await counted();
  const other = new Registry();
  new Counter({ name: 'jobs_total', help: 'Jobs', registers: [other] }).inc();
  const merged = await Registry.merge([registry, other]).metrics();
  const line = 'http_requests_total{path="/a",method="get"} 1';
  expect(merged.split('\n')).toEqual(expect.arrayContaining([line, 'jobs_total 1']));
  registry.resetMetrics();
  expect((await registry.getSingleMetricAsString('http_requests_total')).split('\n')).toContain(line);
  expect(registry.getMetricsAsArray()).toContain(registry.getSingleMetric('http_requests_total'));
  expect(registry.getSingleMetric('http_requests_total')).toMatchObject({
    type: 'counter',
    aggregator: 'sum',
  });
});

it('renders the right names in an OpenMetrics registry, and does not change those of our handler', async () => {
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const metrics = instrument(express(), { registry });
  for (let i = 0; i < 2; i++) {
    expect((await metrics.registry.metrics()).split('\n')).toEqual(
      expect.arrayContaining(['# TYPE http_errors counter', 'http_errors_total{code="404"} 0', '# EOF']),
    );
    const text = await textOf(registry);
    expect(text).toContain('\n# TYPE http_errors_total counter\nhttp_errors_total{code="404"} 0\n');
  }
  metrics.close();
  expect(registry.getMetricsAsArray()).toEqual([]);
});

it('does not accumulate the default labels of a registry, however often it is scraped', async () => {
  const registry = new Registry();
  const gauge = new Gauge({ name: 'level', help: 'Level', registers: [registry] });
  gauge.set(1);
  registry.setDefaultLabels({ zone: 'b' });
  const app = await startApp(() => undefined, { registry });
  const lines = (await app.scrape()).split('\n');
  expect(lines).toEqual(expect.arrayContaining(['level{zone="b"} 1', 'inprogress_requests{zone="b"} 0']));
  await app.close();
  expect((await gauge.get()).values).toEqual([{ value: 1, labels: {} }]);
});
