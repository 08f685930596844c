/** `sample_limit` of the real configuration: an application with 1,000 routes is scraped, and a target above the limit is named. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { query, targetsOf } from '../support/prometheus.ts';
import { type HostServer, serveExposition } from '../support/server.ts';
import { useStack } from '../support/stack.ts';
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

const stack = useStack({ program: THOUSAND_ROUTES });
let wild: HostServer;

beforeAll(async () => {
  wild = await serveExposition(Array.from({ length: TOO_MANY }, (_, n) => `wild{n="${n}"} 1\n`).join(''));
  const targets = [{ targets: [wild.address], labels: { job: 'wild' } }];
  await stack.addTargets('wild', JSON.stringify(targets));
});

afterAll(() => wild?.close());

// Polls, because a busy machine may fail a scrape of this size.
const holds = (what: string, expression: string) =>
  eventually(what, async () => (await query(stack.prometheusUrl, expression)).length > 0);

it('scrapes an application with 1,000 routes and all their series', async () => {
  await holds('the series of 1,000 routes', 'count(http_requests_total{job="api"}) == 1000');
  await holds(
    'all samples of a scrape',
    'up{job="api"} == 1 and on () scrape_samples_scraped{job="api"} > 52000',
  );
  expect(await query(stack.prometheusUrl, 'ALERTS{alertname="SampleLimitNear", job="api"}')).toEqual([]);
});

it('rejects a scrape with one sample more than the limit, shows the reason, and alerts with its size', async () => {
  // Pending, or already firing if the scrapes of the other test took long.
  const alert = 'ALERTS{alertname="SampleLimitNear", job="wild", severity="ticket"}';
  await holds('the alert', alert);
  await holds(
    'a rejected scrape',
    `up{job="wild"} == 0 and on () scrape_samples_scraped{job="wild"} == ${TOO_MANY}`,
  );
  expect(await query(stack.prometheusUrl, 'wild')).toEqual([]);
  await eventually('the reason', async () => {
    const [target] = await targetsOf(stack.prometheusUrl, 'wild');
    return target?.lastError === 'sample limit exceeded';
  });
});
