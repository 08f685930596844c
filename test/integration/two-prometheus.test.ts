/** Two Prometheus servers scrape the same API: each can verify independently, and an exiting process waits for both. */
import { beforeAll, expect, it } from '@jest/globals';
import { run } from 'exact-load';
import { run as command, docker } from '../support/command.ts';
import { expectValue } from '../support/prometheus.ts';
import { useStack } from '../support/stack.ts';

/** On a busy machine a scrape may take long. */
const SHUTDOWN_SCRAPE_WAIT_MS = '60000';

const stack = useStack({ environment: { SHUTDOWN_SCRAPE_WAIT_MS } });
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
  await docker('stop', '--time', '120', id);
  const { stderr: log } = await command('docker', ['logs', id]);
  expect(log).toContain('"msg":"stopped"');
  expect(log).not.toContain('not every Prometheus scraped again');
  for (const url of urls) {
    // The response to the last scrape may not be stored yet.
    await expectValue(url, 'last_over_time(http_server_drained{job="api"}[10m])', 1);
    await expectValue(url, 'sum(last_over_time(http_requests_total{job="api"}[10m]))', 300);
  }
});
