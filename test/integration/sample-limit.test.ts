/** `sample_limit` of the real configuration: an application with 1,000 routes is scraped, and a target above the limit is named. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { query, queryValue, targetsOf } from '../support/prometheus.ts';
import { type HostServer, serveExposition } from '../support/server.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { eventually } from '../support/until.ts';

const THOUSAND_ROUTES = `
import express from 'express';
import { instrument } from 'express-exact-metrics';

const app = express();
const metrics = instrument(app, { nativeHistograms: true });
for (let n = 0; n < 1000; n++) app.get('/routes/' + n, (_request, response) => response.send('ok'));
app.listen(5001);
metrics.listen(8000);
`;
const TOO_MANY = 200_001;

let stack: Stack;
let wild: HostServer;

beforeAll(async () => {
  stack = await startStack({ program: THOUSAND_ROUTES });
  wild = await serveExposition(Array.from({ length: TOO_MANY }, (_, n) => `wild{n="${n}"} 1\n`).join(''));
  const targets = [{ targets: [wild.address], labels: { job: 'wild' } }];
  await stack.addTargets('wild', JSON.stringify(targets));
});

afterAll(async () => {
  wild?.close();
  await stack?.stop();
});

it('scrapes an application with 1,000 routes, each of which has its series', async () => {
  await eventually('the series of 1,000 routes', async () => {
    const [routes] = await query(stack.prometheusUrl, 'count(http_requests_total{job="api"})');
    return routes?.value === 1_000;
  });
  expect(await queryValue(stack.prometheusUrl, 'up{job="api"}')).toBe(1);
  expect(await queryValue(stack.prometheusUrl, 'scrape_samples_scraped{job="api"}')).toBeGreaterThan(52_000);
  expect(await query(stack.prometheusUrl, 'ALERTS{alertname=~"ApiDown|SampleLimitNear", job="api"}')).toEqual(
    [],
  );
});

it('rejects a scrape with one sample more than the limit, says so, and alerts with its size', async () => {
  const [alert] = await eventually('the alert', async () => {
    const found = await query(stack.prometheusUrl, 'ALERTS{alertname="SampleLimitNear"}');
    return found.length > 0 && found;
  });
  expect(alert?.labels).toMatchObject({ job: 'wild', alertstate: 'pending', severity: 'ticket' });
  expect(await queryValue(stack.prometheusUrl, 'up{job="wild"}')).toBe(0);
  expect(await queryValue(stack.prometheusUrl, 'scrape_samples_scraped{job="wild"}')).toBe(TOO_MANY);
  expect(await query(stack.prometheusUrl, 'wild')).toEqual([]);
  const [target] = await targetsOf(stack.prometheusUrl, 'wild');
  expect(target?.lastError).toBe('sample limit exceeded');
});
