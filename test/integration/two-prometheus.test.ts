/** Two Prometheus that scrape the same API: each verifies for itself, and a process that ends waits for both. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { run } from 'exact-load';
import { run as command, docker } from '../support/command.ts';
import { queryValue } from '../support/prometheus.ts';
import { type Stack, startStack } from '../support/stack.ts';

let stack: Stack;
let urls: string[];

beforeAll(async () => {
  stack = await startStack();
  urls = [stack.prometheusUrl, await stack.addPrometheus()];
});

afterAll(() => stack?.stop());

it('each verifies for itself what was sent', async () => {
  for (const prometheus of urls) {
    const { verification } = await run({ pattern: 'lab', target: stack.apiUrl, prometheus });
    expect(verification).toMatchObject({ verdict: 'verified', answered: 133 });
  }
});

it('each has all that a process has counted by its end', async () => {
  const id = stack.api.getId();
  // Right before the end, so that no Prometheus has them yet.
  await run({ pattern: 'hundred', target: stack.apiUrl });
  await docker('stop', '--time', '60', id);
  const { stderr: log } = await command('docker', ['logs', id]);
  expect(log).toContain('"msg":"stopped"');
  expect(log).not.toContain('not every scraper came');
  for (const url of urls) {
    expect(await queryValue(url, 'last_over_time(http_server_drained{job="api"}[10m])')).toBe(1);
    expect(await queryValue(url, 'sum(last_over_time(http_requests_total{job="api"}[10m]))')).toBe(300);
  }
});
