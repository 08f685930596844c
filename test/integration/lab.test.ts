// The two labs, from the first request to the last query: each number is read through Prometheus' HTTP API.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import axios from 'axios';
import { activeTargets, nextScrape, query, queryValue } from '../support/prometheus-api.ts';
import { type GeneratorRun, runGenerator, type Stack, startStack } from '../support/stack.ts';

let stack: Stack;
let run: GeneratorRun;

beforeAll(async () => {
  stack = await startStack();
  run = await runGenerator(
    stack.network,
    ...['run', 'lab', '--target', 'http://api:5001', '--prometheus', 'http://prometheus:9090'],
  );
}, 180_000);

afterAll(() => stack?.stop());

describe('after the traffic of the lab', () => {
  it('the generator has proven each count and ends with status 0', () => {
    expect(run.stdout).toContain('counted exactly once');
    expect(run.exitCode).toBe(0);
  });

  it('sum(http_requests_total) is 100', async () => {
    expect(await queryValue(stack.prometheusUrl, 'sum(http_requests_total)')).toBe(100);
  });

  it('the combination of path and method that received the most requests is post, products', async () => {
    const [largest] = await query(stack.prometheusUrl, 'topk(1, http_requests_total)');
    expect(largest?.labels).toMatchObject({ path: 'products', method: 'post' });
  });

  it.each([
    ['products', 'post', 40],
    ['products', 'get', 30],
    ['cart', 'get', 20],
    ['cart', 'post', 10],
    ['cars', 'get', 0],
    ['cars', 'post', 0],
    ['cars/:id', 'get', 0],
    ['cars/:id', 'patch', 0],
    ['cars/:id', 'delete', 0],
  ])('http_requests_total{path="%s",method="%s"} is %i', async (path, method, count) => {
    const expression = `http_requests_total{path="${path}",method="${method}"}`;
    expect(await queryValue(stack.prometheusUrl, expression)).toBe(count);
  });

  it('http_errors_total{code="404"} is 33, and no other code has an error', async () => {
    expect(await queryValue(stack.prometheusUrl, 'http_errors_total{code="404"}')).toBe(33);
    expect(await queryValue(stack.prometheusUrl, 'sum(http_errors_total)')).toBe(33);
  });

  it('inprogress_requests is 0', async () => {
    expect(await queryValue(stack.prometheusUrl, 'inprogress_requests')).toBe(0);
  });

  it('the histogram holds each of the 133 requests once', async () => {
    expect(await queryValue(stack.prometheusUrl, 'sum(http_request_duration_seconds_count)')).toBe(133);
    const unmatched = 'sum(http_request_duration_seconds_count{path="unmatched"})';
    expect(await queryValue(stack.prometheusUrl, unmatched)).toBe(33);
  });

  it('the job api has one target, and it is up', async () => {
    const targets = (await activeTargets(stack.prometheusUrl)).filter(({ labels }) => labels.job === 'api');
    expect(targets.map(({ health, lastError }) => ({ health, lastError }))).toEqual([
      { health: 'up', lastError: '' },
    ]);
  });

  it('Prometheus scrapes itself as well', async () => {
    expect(await queryValue(stack.prometheusUrl, 'up{job="prometheus"}')).toBe(1);
  });
});

describe('what must not be counted', () => {
  it('neither scrapes on either port nor health checks change any count', async () => {
    const [api] = stack.apis;
    if (!api) throw new Error('expected one API replica');
    for (let i = 0; i < 5; i++) {
      for (const url of [
        `${api.apiUrl}/metrics`,
        `${api.metricsUrl}/`,
        `${api.metricsUrl}/metrics`,
        `${api.metricsUrl}/healthz`,
        `${api.metricsUrl}/readyz`,
      ]) {
        expect((await axios.get(url)).status).toBe(200);
      }
    }
    await nextScrape(stack.prometheusUrl);
    expect(await queryValue(stack.prometheusUrl, 'sum(http_requests_total)')).toBe(100);
    expect(await queryValue(stack.prometheusUrl, 'sum(http_errors_total)')).toBe(33);
    expect(await queryValue(stack.prometheusUrl, 'sum(http_request_duration_seconds_count)')).toBe(133);
    expect(await queryValue(stack.prometheusUrl, 'inprogress_requests')).toBe(0);
  }, 60_000);
});
