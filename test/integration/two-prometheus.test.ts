/** Two Prometheus servers scrape the same API: each can verify independently, and an exiting process waits for both. */
import { beforeAll, expect, it } from '@jest/globals';
import { run } from 'exact-load';
import { run as command, docker } from '../support/command.ts';
import { queryValue } from '../support/prometheus.ts';
import { useStack } from '../support/stack.ts';

const stack = useStack();
let urls: string[];
beforeAll(async () => {
  urls = [stack.prometheusUrl, await stack.addPrometheus()];
});

it('each verifies the traffic independently', async () => {
  for (const prometheus of urls) {
    const { verification } = await run({ pattern: 'lab', target: stack.apiUrl, prometheus });
    expect(verification).toMatchObject({ verdict: 'verified', answered: 133 });
  }
});

it('each has all counts of a process that ended', async () => {
  const id = stack.api.getId();
  // Immediately before the end, so that no server has scraped the counts yet.
  await run({ pattern: 'hundred', target: stack.apiUrl });
  await docker('stop', '--time', '60', id);
  const { stderr: log } = await command('docker', ['logs', id]);
  expect(log).toContain('"msg":"stopped"');
  expect(log).not.toContain('not every Prometheus scraped again');
  for (const url of urls) {
    expect(await queryValue(url, 'last_over_time(http_server_drained{job="api"}[10m])')).toBe(1);
    expect(await queryValue(url, 'sum(last_over_time(http_requests_total{job="api"}[10m]))')).toBe(300);
  }
});
