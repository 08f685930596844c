/** A process that has run for longer than Prometheus' head covers: Prometheus up to 3.5 crashes on it with a feature that is disabled here. */
import { expect, it } from '@jest/globals';
import { run } from '../support/command.ts';
import { nextScrape, queryValue } from '../support/prometheus.ts';
import { useStack } from '../support/stack.ts';

const STARTED_TWO_HOURS_AGO = `
import express from 'express';
import { instrument } from 'express-exact-metrics';

const { now } = Date;
Date.now = () => now() - 2 * 3_600_000;
const app = express();
const metrics = instrument(app, { nativeHistograms: true });
app.get('/cart', (_request, response) => response.send('ok'));
app.listen(5001);
metrics.listen(8000);
`;

// The features that the scripts give to this image.
const settings = await run('sh', ['-c', 'root=$PWD; . scripts/settings.sh; prometheus_features']);
process.env.PROMETHEUS_FEATURES = settings.stdout.trim();

const stack = useStack({ program: STARTED_TWO_HOURS_AGO });

it('Prometheus scrapes an API that has run for two hours, with native histograms', async () => {
  for (let scrape = 0; scrape < 3; scrape++) await nextScrape(stack.prometheusUrl);
  const native = 'count(histogram_count(http_request_duration_seconds))';
  expect(await queryValue(stack.prometheusUrl, native)).toBeGreaterThan(0);
});
