/** Each preset against the library that it is for: found by itself, and every request counted as it says. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from 'exact-load';
import { LeftOut } from '../../tools/conformance/install.ts';
import { type Program, type ProgramName, startProgram } from '../../tools/conformance/programs.ts';
import { type ScrapingPrometheus, startPrometheus } from '../support/prometheus-container.ts';

/** What the route of /users/7 is called there, by the preset that is found. */
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

const programs = new Map<ProgramName, Program>();
const leftOut = new Map<ProgramName, string>();
let prometheus: ScrapingPrometheus;

beforeAll(async () => {
  for (const [name] of LIBRARIES) {
    try {
      programs.set(name, await startProgram(name));
    } catch (error) {
      if (!(error instanceof LeftOut)) throw error;
      leftOut.set(name, error.message);
    }
  }
  const jobs = [...programs].map(([job, { metricsUrl }]) => ({ job, metricsUrls: [metricsUrl] }));
  prometheus = await startPrometheus(jobs);
});

afterAll(async () => {
  await prometheus?.stop();
  await Promise.all([...programs.values()].map((program) => program.stop()));
});

describe.each(LIBRARIES)('%s', (name, preset, route) => {
  it.each(['auto', preset])('is compared by %s, and every request was counted once', async (metrics) => {
    const program = programs.get(name);
    if (program === undefined) {
      console.warn(`left out: ${name}: ${leftOut.get(name)}`);
      return;
    }
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
  });
});
