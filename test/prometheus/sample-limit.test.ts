/** Compares `sample_limit` with the measured number of samples of an application at the package's own limits. */
import { expect, it } from '@jest/globals';
import express from 'express';
import { instrument } from 'express-exact-metrics';
import { parse } from 'yaml';
import { read } from '../support/repository.ts';
import { portOf } from '../support/server.ts';

const yaml = (path: string) => parse(read(`prometheus/${path}`), { merge: true });
const { global, scrape_configs } = yaml('prometheus.yml') as {
  global: { sample_limit: number };
  scrape_configs: { sample_limit?: number }[];
};
const limit = global.sample_limit;

/** Every route ends with one of these, with 499 or with 500. */
const DECLARED = [200, 400, 404];

it('allows as many routes as the package does, each with five status codes and native histograms', async () => {
  const app = express();
  const paths = Array.from({ length: 2_100 }, (_, n) => `/${n}`);
  const codes = Object.fromEntries(paths.map((path) => [`GET ${path}`, DECLARED]));
  const metrics = instrument(app, { codes, warn: () => undefined });
  for (const path of paths) app.get(path, (_request, response) => void response.end());
  const server = metrics.listen(0, '127.0.0.1');
  const text = await (await fetch(`http://127.0.0.1:${await portOf(server)}/metrics`)).text();
  server.close().closeAllConnections();
  const count = (line: RegExp) => text.match(line)?.length ?? 0;
  // Fewer than the application has, because the package stops at its limit.
  expect(count(/^http_requests_total\{/gm)).toBe(2_000);
  // Each series of a classic histogram has one more sample, the native histogram.
  const native = count(/^http_request_duration_seconds_count\{/gm);
  expect(native).toBeGreaterThanOrEqual(2_000 * (DECLARED.length + 2));
  const samples = count(/^[^#\n]/gm) + native;
  expect(samples).toBeGreaterThan(0.8 * limit);
  expect(samples).toBeLessThan(limit);
});

it('is the same for every job, in the alert SampleLimitNear and in the documents', () => {
  expect(scrape_configs.map(({ sample_limit }) => sample_limit)).toEqual(scrape_configs.map(() => undefined));
  const { groups } = yaml('rules/alerts.yml') as {
    groups: { rules: { alert: string; expr: string; annotations: { description: string } }[] }[];
  };
  const alert = groups.flatMap(({ rules }) => rules).find((rule) => rule.alert === 'SampleLimitNear');
  expect(alert?.expr).toBe(`scrape_samples_scraped > 0.8 * ${limit}`);
  expect(alert?.annotations.description).toContain(`more than ${limit} (sample_limit)`);
  const withCommas = (value: number) => value.toLocaleString('en');
  for (const page of ['runbook', 'scaling'])
    expect(read(`docs/${page}.md`)).toMatch(
      new RegExp(`${withCommas(limit)}[^]*sample_limit|sample_limit[^]*${withCommas(limit)}`),
    );
});

it('has an alert that ApiDown does not inhibit', () => {
  const { inhibit_rules } = yaml('alertmanager.yml') as {
    inhibit_rules: { source_matchers: string[]; target_matchers: string[] }[];
  };
  const [apiDown] = inhibit_rules.filter(({ source_matchers }) => /ApiDown/.test(source_matchers.join()));
  const [, held = ''] = /^alertname!~"(.+)"$/.exec(apiDown?.target_matchers[0] ?? '') ?? [];
  expect(held.split('|')).toEqual(['ApiDown', 'ApiTargetMissing', 'SampleLimitNear']);
});
