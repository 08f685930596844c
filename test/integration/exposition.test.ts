// What the API exposes, judged by parsers that are not ours: promtool and Prometheus for what they accept, and the Python
// client's parser, which is stricter than both, for OpenMetrics.
import { execFile } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import axios from 'axios';
import { docker } from '../support/commands.ts';
import { nextScrape, queryValue } from '../support/prometheus-api.ts';
import { repositoryRoot, settingOf } from '../support/repository.ts';
import { type Stack, startStack } from '../support/stack.ts';

/** One sample as the Python parser read it. */
type Sample = [name: string, labels: Record<string, string>, value: number, type: string];

const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

let stack: Stack;
let parserImage: string;

beforeAll(async () => {
  const build = ['build', '--quiet', '--build-arg', `NODE_IMAGE=${settingOf('NODE_IMAGE')}`];
  [stack, parserImage] = await Promise.all([
    startStack(),
    docker(
      ...build,
      '--tag',
      'observability-stack/openmetrics-parser',
      `${repositoryRoot}/test/images/openmetrics`,
    ),
  ]);
  const { apiUrl } = firstApi();
  for (const path of ['/products', '/cars/7', '/missing', '/cars/seven']) {
    await axios.get(apiUrl + path, { validateStatus: null });
  }
}, 180_000);

// The parser's image stays, as the others built here do: a test that runs at the same time may be using it.
afterAll(() => stack?.stop());

function firstApi(): Stack['apis'][number] {
  const [api] = stack.apis;
  if (!api) throw new Error('expected one API replica');
  return api;
}

async function expose(accept: string): Promise<{ text: string; contentType: unknown }> {
  const response = await axios.get<string>(firstApi().metricsUrl, {
    headers: { Accept: accept },
    responseType: 'text',
  });
  return { text: response.data, contentType: response.headers['content-type'] };
}

/** Runs a container with `input` on its standard input; an exit status other than 0 is an error. */
function runWithInput(words: string[], input: string): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      'docker',
      ['run', '--rm', '--interactive', '--network', 'none', ...words],
      { maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => (error ? reject(error) : resolve({ stdout, stderr })),
    );
    child.stdin?.end(input);
  });
}

describe('the exposition', () => {
  it('passes promtool check metrics without a word', async () => {
    const { text, contentType } = await expose('text/plain');
    expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
    const promtool = ['--entrypoint', 'promtool', settingOf('PROMETHEUS_IMAGE'), 'check', 'metrics'];
    expect(await runWithInput(promtool, text)).toEqual({ stdout: '', stderr: '' });
  });

  it('is OpenMetrics to the Python parser, sample by sample', async () => {
    const { text, contentType } = await expose('application/openmetrics-text');
    expect(contentType).toBe(OPENMETRICS);
    const { stdout } = await runWithInput([parserImage], text);
    const samples = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Sample);
    expect(samples.length).toBe(
      text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length,
    );
    expect(samples).toEqual(
      expect.arrayContaining([
        ['http_requests_total', { path: 'products', method: 'get' }, 1, 'counter'],
        ['http_requests_total', { path: 'cars/:id', method: 'get' }, 1, 'counter'],
        ['http_errors_total', { code: '404' }, 2, 'counter'],
        ['inprogress_requests', {}, 0, 'gauge'],
        [
          'http_request_duration_seconds_bucket',
          { path: 'unmatched', method: 'get', code: '404', le: '+Inf' },
          2,
          'histogram',
        ],
      ]),
    );
  });

  it('is scraped by Prometheus, which asks for OpenMetrics', async () => {
    await nextScrape(stack.prometheusUrl);
    expect(await queryValue(stack.prometheusUrl, 'http_errors_total{code="404"}')).toBe(2);
    const bucket = 'http_request_duration_seconds_bucket{path="products",method="get",code="200",le="1.0"}';
    expect(await queryValue(stack.prometheusUrl, bucket)).toBe(1);
  }, 60_000);
});
