// What the API exposes, judged by parsers that are not ours: promtool and Prometheus for what they accept, and the Python
// client's parser, which is stricter than both, for OpenMetrics.
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import axios from 'axios';
import { run } from '../support/command.ts';
import { nextScrape, queryValue } from '../support/prometheus.ts';
import { settingOf } from '../support/repository.ts';
import { buildParser, type Stack, startStack } from '../support/stack.ts';

/** One sample as the Python parser read it. */
type Sample = [name: string, labels: Record<string, string>, value: number, type: string];

let stack: Stack;
let parserImage: string;

beforeAll(async () => {
  [stack, parserImage] = await Promise.all([startStack(), buildParser()]);
  for (const path of ['/products', '/cars/7', '/missing', '/cars/seven'])
    await axios.get(stack.api.apiUrl + path, { validateStatus: null });
});

afterAll(() => stack?.stop());

async function expose(accept: string): Promise<{ text: string; contentType: unknown }> {
  const headers = { Accept: accept };
  const response = await axios.get<string>(stack.api.metricsUrl, { headers, responseType: 'text' });
  return { text: response.data, contentType: response.headers['content-type'] };
}

/** Runs a container with `input` on its standard input. */
const runWithInput = (words: string[], input: string) =>
  run('docker', ['run', '--rm', '--interactive', '--network', 'none', ...words], process.env, input);

it('passes promtool check metrics without a word', async () => {
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
      ['http_requests_total', { path: 'products', method: 'get' }, 1, 'counter'],
      ['http_requests_total', { path: 'cars/:id', method: 'get' }, 1, 'counter'],
      ['http_errors_total', { code: '404' }, 2, 'counter'],
      ['inprogress_requests', {}, 0, 'gauge'],
      ['http_request_duration_seconds_bucket', unmatched, 2, 'histogram'],
    ]),
  );
});

it('is scraped by Prometheus, which asks for OpenMetrics', async () => {
  await nextScrape(stack.prometheusUrl);
  expect(await queryValue(stack.prometheusUrl, 'http_errors_total{code="404"}')).toBe(2);
  const bucket = 'http_request_duration_seconds_bucket{path="products",method="get",code="200",le="1.0"}';
  expect(await queryValue(stack.prometheusUrl, bucket)).toBe(1);
});
