// The API's exposition, checked by other parsers: promtool, the Python client's parser for OpenMetrics (stricter than
// Prometheus'), and Prometheus itself. The latter also with an API restart between two scrapes, and reading protobuf without
// keeping native histograms. lab.test.ts checks that it requests OpenMetrics.
import { fork } from 'node:child_process';
import { beforeAll, expect, it } from '@jest/globals';
import axios from 'axios';
import { Prometheus } from 'exact-load/prometheus';
import { run } from '../support/command.ts';
import { signal } from '../support/faults.ts';
import { nextScrape, query, queryValue } from '../support/prometheus.ts';
import { startPrometheus } from '../support/prometheus-container.ts';
import { repositoryRoot, settingOf } from '../support/repository.ts';
import { buildParser, urlOf, useStack } from '../support/stack.ts';
import { eventually } from '../support/until.ts';

/** One sample, as the Python parser reads it. */
type Sample = [
  name: string,
  labels: Record<string, string>,
  value: number,
  type: string,
  exemplar: [labels: Record<string, string>, value: number] | null,
];

const TRACE_ID = 'ab'.repeat(16);

const stack = useStack();
let parserImage: string;

beforeAll(async () => {
  parserImage = await buildParser();
  for (const path of ['/products', '/cars/7', '/missing', '/cars/seven'])
    await axios.get(stack.apiUrl + path, {
      validateStatus: null,
      headers: { traceparent: `00-${TRACE_ID}-${'cd'.repeat(8)}-01` },
    });
});

async function expose(
  accept: string,
  url = stack.metricsUrl,
): Promise<{ text: string; contentType: unknown }> {
  const headers = { Accept: accept };
  const response = await axios.get<string>(url, { headers, responseType: 'text' });
  return { text: response.data, contentType: response.headers['content-type'] };
}

/** Runs a container with `input` on its standard input. */
const runWithInput = (words: string[], input: string) =>
  run('docker', ['run', '--rm', '--interactive', '--network', 'none', ...words], process.env, input);

it('passes promtool check metrics without output', async () => {
  const { text, contentType } = await expose('text/plain');
  expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
  const promtool = ['--entrypoint', 'promtool', settingOf('PROMETHEUS_IMAGE'), 'check', 'metrics'];
  expect(await runWithInput(promtool, text)).toEqual({ exitCode: 0, stdout: '', stderr: '' });
});

it('is OpenMetrics to the Python parser, sample by sample', async () => {
  const { text, contentType } = await expose('application/openmetrics-text');
  expect(contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  const { exitCode, stdout } = await runWithInput([parserImage], text);
  expect(exitCode).toBe(0);
  const lines = stdout.trim().split('\n');
  const samples = lines.map((line) => JSON.parse(line) as Sample);
  expect(samples.length).toBe(text.match(/^[^#\n]/gm)?.length);
  const unmatched = { path: 'unmatched', method: 'get', code: '404', le: '+Inf' };
  expect(samples).toEqual(
    expect.arrayContaining([
      ['http_requests_total', { path: 'products', method: 'get' }, 1, 'counter', null],
      ['http_requests_total', { path: 'cars/:id', method: 'get' }, 1, 'counter', null],
      ['http_errors_total', { code: '404' }, 2, 'counter', [{ trace_id: TRACE_ID }, 1]],
      ['inprogress_requests', {}, 0, 'gauge', null],
      ['http_request_duration_seconds_bucket', unmatched, 2, 'histogram', null],
    ]),
  );
  // Each response has an exemplar in at least one bucket, and nothing else has one.
  const buckets = samples.filter(([name, , , , exemplar]) => name.endsWith('_bucket') && exemplar);
  const answers = buckets.map(([, { path, code }]) => `${path} ${code}`);
  expect(new Set(answers)).toEqual(new Set(['products 200', 'cars/:id 200', 'unmatched 404']));
  for (const [, { le }, , , exemplar] of buckets) expect(exemplar?.[1]).toBeLessThanOrEqual(Number(le));
});

it('is OpenMetrics to the Python parser if workers of a cluster define metrics of each type', async () => {
  const program = `${repositoryRoot}instrumentation/test/programs/cluster.js`;
  const primary = fork(program, { env: { ...process.env, NODE_OPTIONS: '' } });
  const { port, metricsPort } = await new Promise<Record<string, number>>((resolve) => {
    primary.on('message', (message: Record<string, number>) => {
      if (message.metricsPort !== undefined) resolve(message);
    });
  });
  for (let i = 0; i < 4; i++) await axios.get(`http://127.0.0.1:${port}/users/5`);
  const text = await eventually('both workers to report', async () => {
    const url = `http://127.0.0.1:${metricsPort}/metrics`;
    const exposed = await expose('application/openmetrics-text', url);
    return exposed.text.includes('\nhttp_server_workers 2\n') && exposed.text;
  });
  primary.disconnect();
  const { exitCode, stdout } = await runWithInput([parserImage], text);
  expect(exitCode).toBe(0);
  const samples = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Sample);
  expect(samples).toEqual(
    expect.arrayContaining([
      ['jobs_total', { kind: 'user' }, 4, 'counter', null],
      ['sizes_bucket', { le: '10.0' }, 4, 'histogram', null],
      ['waits', { kind: 'read', quantile: '0.5' }, 2, 'summary', null],
      ['waits_count', { kind: 'read' }, 2, 'summary', null],
      ['waits_sum', { kind: 'write' }, 3, 'summary', null],
    ]),
  );
});

it('loses no histogram in a Prometheus that reads protobuf and keeps no native histograms', async () => {
  const settings = ['scrape_protocols: [PrometheusProto]'];
  const job = { job: 'api', metricsUrls: [`${stack.metricsUrl}/metrics`], settings };
  const { url, stop } = await startPrometheus([job]);
  try {
    await eventually('a scrape', async () => (await query(url, 'up == 1')).length > 0);
    const series = (name: string) => queryValue(url, `count({__name__="${name}"})`);
    const cells = await series('http_request_duration_seconds_count');
    expect(cells).toBeGreaterThan(20);
    expect(await series('http_request_duration_seconds_bucket')).toBe(14 * cells);
    expect(await query(url, 'count({__name__="http_request_duration_seconds"})')).toEqual([]);
    expect(await series('process_cpu_seconds_total')).toBe(1);
  } finally {
    await stop();
  }
});

it('counter, classic and native histogram miss no request when the API restarts between two scrapes', async () => {
  const { prometheusUrl, prometheus, api } = stack;
  // The engine chooses another port when it starts the container again.
  const hit = async (times: number) => {
    for (let i = 0; i < times; i++) await axios.get(`${urlOf(api, 5001)}/cart`);
  };
  await hit(20);
  await nextScrape(prometheusUrl);
  // No scrape may fail during the restart: Prometheus rejects created timestamps before such a scrape.
  await signal(prometheus.getId(), 'STOP');
  await api.restart();
  await eventually('the API to answer again', () => axios.get(`${urlOf(api, 8000)}/readyz`));
  // More than before, so that no value is lower than in the previous scrape.
  await hit(60);
  await signal(prometheus.getId(), 'CONT');
  await nextScrape(prometheusUrl);
  await nextScrape(prometheusUrl);
  const selector = '{path="cart", method="get"}[5m]';
  const own = '{path="cart", method="get", code="200"}[5m]';
  const [counter, classic] = [`http_requests_total${selector}`, `http_request_duration_seconds_count${own}`];
  // The stored values: without created timestamps there would be no 0 before the 60, and 40 of the first two would be missing.
  for (const expression of [counter, classic]) {
    const [series] = await new Prometheus(prometheusUrl).samples(expression);
    const values = (series?.points ?? []).map(({ value }) => value);
    const rises = values.map((value, i) => Math.max(0, value - (values[i - 1] ?? value)));
    expect({ expression, sum: rises.reduce((sum, rise) => sum + rise, 0) }).toEqual({ expression, sum: 80 });
  }
  // Native histograms extrapolate to the ends of the window, which adds some; counted twice, it would be 140.
  const native = `histogram_count(increase(http_request_duration_seconds${own}))`;
  const increase = await queryValue(prometheusUrl, native);
  expect(increase).toBeGreaterThanOrEqual(80);
  expect(increase).toBeLessThan(140);
});
