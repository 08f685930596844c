/** Each preset with its library: it is detected, and every request is counted as the preset describes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from 'exact-load';
import {
  type Program,
  type ProgramName,
  startProgram,
  whyLeftOut,
} from '../../tools/conformance/programs.ts';
import { run as runCommand } from '../support/command.ts';
import { query } from '../support/prometheus.ts';
import { type ScrapingPrometheus, startPrometheus } from '../support/prometheus-container.ts';
import { repositoryRoot } from '../support/repository.ts';
import { eventually } from '../support/until.ts';

/** The program, the preset that is detected, and the name of the route of /users/7. */
const LIBRARIES: readonly (readonly [ProgramName, string, string])[] = [
  ['express-exact-metrics', 'express-exact-metrics', '/users/:id'],
  ['express-prom-bundle', 'express-prom-bundle', '/users/#val'],
  ['prometheus-api-metrics', 'prometheus-api-metrics', '/users/:id'],
  ['opentelemetry', 'opentelemetry', '/users/:id'],
  ['fastify-metrics', 'fastify-metrics', '/users/:id'],
  ['flask-exporter', 'flask-exporter', '/users/7'],
  ['fastapi-instrumentator', 'starlette', '/users/{id}'],
  ['promhttp', 'promhttp', ''],
  ['micrometer', 'micrometer', '/users/{id}'],
];

const leftOut = new Map<ProgramName, string>();
for (const [name] of LIBRARIES) {
  const reason = await whyLeftOut(name);
  if (reason !== undefined) leftOut.set(name, reason);
}

const programs = new Map<ProgramName, Program>();
let prometheus: ScrapingPrometheus;

beforeAll(async () => {
  for (const [name] of LIBRARIES) if (!leftOut.has(name)) programs.set(name, await startProgram(name));
  const jobs = [...programs].map(([job, { metricsUrl }]) => ({ job, metricsUrls: [metricsUrl] }));
  prometheus = await startPrometheus(jobs);
});

afterAll(async () => {
  await prometheus?.stop();
  await Promise.all([...programs.values()].map((program) => program.stop()));
});

describe.each(LIBRARIES)('%s', (name, preset, route) => {
  const reason = leftOut.get(name);
  const test = reason === undefined ? it : it.skip;
  const why = reason === undefined ? '' : ` (left out: ${reason})`;
  test.each(['auto', preset])(
    `is verified by %s, and every request is counted once${why}`,
    async (metrics) => {
      const program = programs.get(name) as Program;
      const { verification } = await run({
        pattern: {
          // OpenTelemetry counts the scrapes of its own exporter, as requests without a route.
          metrics: { preset: metrics, ignoreRoutes: name === 'opentelemetry' ? [''] : [] },
          targets: [
            { path: '/users/7', count: 30, expect: 200, series: { route } },
            { path: '/users/7?full=1', count: 5, expect: 200, series: { route } },
          ],
        },
        target: program.url,
        prometheus: prometheus.url,
        job: name,
      });
      const { verdict, answered, obstacles, rows = [] } = verification ?? {};
      const wrong = rows.filter(({ difference }) => difference !== 0);
      expect({ verdict, answered, obstacles, wrong }).toEqual({
        ...{ verdict: 'verified', answered: 35, obstacles: [], wrong: [] },
      });
    },
  );
});

/** A time before which the last scrape of the job succeeded: on a busy machine, one may fail. */
function scrapedTime(job: string): Promise<string> {
  const up = `up{job="${job}"}`;
  return eventually('a scrape that succeeded', async () => {
    const now = Date.now();
    // The result of a scrape is known when the next one is stored.
    const isNext = async () => (await query(prometheus.url, `timestamp(${up}) > ${now / 1000}`)).length > 0;
    await eventually('the next scrape', isNext);
    return (await query(prometheus.url, `${up} == 1`, now / 1000)).length > 0 && new Date(now).toISOString();
  });
}

describe('the command line', () => {
  const cli = async (...words: string[]) =>
    runCommand('node', [`${repositoryRoot}loadgen/dist/main.js`, ...words, '--prometheus', prometheus.url]);

  it('verifies a URL by its route, and then probes for common mistakes', async () => {
    const url = `${programs.get('express-exact-metrics')?.url}/users/7`;
    const words = ['-n', '20', '--job', 'express-exact-metrics', '--route', '/users/:id', '--probe'];
    const { exitCode, stdout } = await cli(url, ...words);
    expect(stdout).toContain('verified: 20 requests, every one counted exactly once');
    expect(stdout.match(/^ {2}ok .*/gm)).toHaveLength(6);
    expect(exitCode).toBe(0);
  });

  it('finds a label with values from clients', async () => {
    const url = `${programs.get('express-prom-bundle')?.url}/users/7`;
    const words = ['-n', '20', '--job', 'express-prom-bundle', '--route', '/users/#val', '--probe'];
    const { exitCode, stdout } = await cli(url, ...words);
    expect(stdout).toContain('verified: 20 requests, every one counted exactly once');
    expect(stdout).toMatch(
      /FAILED {2}a malformed path: 404.*\n.*a label value: the number of series is unbounded/,
    );
    expect(exitCode).toBe(1);
  });

  it.each([
    [20, 0, 'verified: 20 requests, every one counted exactly once'],
    [21, 1, 'status_code="200"}: counted 1 fewer than sent'],
  ])('compares the requests that another generator reports: %s', async (sent, code, text) => {
    const url = `${programs.get('express-prom-bundle')?.url}/users/7`;
    await run({ url, requests: 1, prometheus: prometheus.url, job: 'express-prom-bundle' });
    const start = await scrapedTime('express-prom-bundle');
    for (let n = 0; n < 20; n++) await (await fetch(url)).text();
    const result = {
      ...{ requests: { sent }, statusCodeStats: { 200: { count: sent } } },
      ...{ start, finish: new Date().toISOString() },
    };
    const folder = mkdtempSync(join(tmpdir(), 'sent-'));
    try {
      writeFileSync(join(folder, 'result.json'), JSON.stringify(result));
      const words = ['--sent', join(folder, 'result.json'), '--job', 'express-prom-bundle'];
      const { exitCode, stdout } = await cli('verify', ...words);
      expect(stdout).toContain(text);
      expect(exitCode).toBe(code);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
