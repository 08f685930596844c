/** The largest possible scrape, compared with the largest that a test can provoke. */
import { METHODS } from 'node:http';
import { expect, it } from '@jest/globals';
import type { InstrumentOptions } from '../src/index.ts';
import { gather } from '../src/library.ts';
import { maxSeries } from '../src/max-series.ts';
import { startApp, type TestApp } from './harness.ts';

const linesOf = async (app: TestApp, ...families: string[]) =>
  (await app.scrape(...families)).split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;

it('is the number of series of a few routes that respond with every code, plus those of unknown methods', async () => {
  const options = { maxRoutes: 2, bucketsSeconds: [0.1, 1], codes: { 'GET /b': [200, 201] } };
  const app = await startApp((application) => {
    for (const path of ['/a', '/b'])
      application.get(path, (request, response) => void response.status(Number(request.query.code)).end());
    application.use((request, response) => void response.status(Number(request.query.code)).end());
  }, options);
  // 1xx are not final responses, and `fetch` does not accept 407.
  for (let code = 200; code < 600; code += code === 406 ? 2 : 1)
    for (const path of ['/a', '/b', '/none'])
      await fetch(`${app.url}${path}?code=${code}`, { redirect: 'manual' });
  const exposed = await linesOf(app, 'http_requests_total', 'http_request_duration_seconds');
  await app.close();
  const cells = { '/a': 16 + 4, '/b': 4 + 4, 'unmatched get': 16 + 4, 'unmatched other': 4 };
  expect(exposed).toBe(2 + Object.values(cells).reduce((sum, n) => sum + n, 0) * 5);
  expect(exposed).toBeLessThan(maxSeries({ ...options, defaultMetrics: false }));
});

it.each<[InstrumentOptions, number]>([
  [{}, 2000 * (21 * 16 + 1)],
  [{ bucketsSeconds: [1], maxRoutes: 10 }, 10 * (21 * 4 + 1)],
  [{ bucketsSeconds: [], nativeHistograms: true, maxRoutes: 10 }, 10 * (21 * 4 + 1)],
  [{ codes: { 'GET /a': Array.from({ length: 30 }, (_, i) => 400 + i) }, maxRoutes: 1 }, 37 * 16 + 1],
])('follows the options %#', (options, routed) => {
  const perCell = (options.bucketsSeconds?.length ?? 13) + 3 + (options.nativeHistograms ? 1 : 0);
  expect(maxSeries(options)).toBe(routed + METHODS.length * 21 * perCell + 202 + 7 + 250);
  expect(maxSeries({ ...options, defaultMetrics: false })).toBe(maxSeries(options) - 250);
});

it('leaves room for the metrics of the process', async () => {
  const app = await startApp(() => undefined, { defaultMetrics: true });
  const families = await gather(app.metrics.registry);
  await app.close();
  const values = families
    .filter(({ name }) => /^(nodejs|process)_/.test(name))
    .flatMap((family) => family.values);
  expect(values.length).toBeGreaterThan(40);
  expect(values.length).toBeLessThan(250 / 2);
});
