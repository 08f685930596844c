/** Which client library is used: the one that made the registry, or else an installed one. */
import { createRequire } from 'node:module';
import { afterEach, expect, it, jest } from '@jest/globals';
import express from 'express';
import { type InstrumentOptions, instrument, type Metrics } from '../src/index.ts';
import type { AnyRegistry } from '../src/library.ts';

/** Unlike `import`, not redirected by Jest's `moduleNameMapper`. */
const require = createRequire(import.meta.url);
type Library = typeof import('@prometheus-io/client');
const successor = require('@prometheus-io/client') as Library;
const promClient = require('prom-client') as Library;

const all: Metrics<AnyRegistry>[] = [];
const started = (options: InstrumentOptions<AnyRegistry>) => {
  const metrics = instrument<AnyRegistry>(express(), options);
  all.push(metrics);
  return metrics;
};

afterEach(() => {
  for (const metrics of all.splice(0)) metrics.close();
});

it('uses @prometheus-io/client if both are installed and no registry is given, and warns once', () => {
  const warn = jest.fn();
  expect(started({ warn }).registry).toBeInstanceOf(successor.Registry);
  expect(started({ warn }).registry).toBeInstanceOf(successor.Registry);
  expect(warn.mock.calls).toEqual([
    [
      '@prometheus-io/client and prom-client are both installed, and neither sees the metrics of the other; ' +
        '@prometheus-io/client is used. Pass the option registry to choose, or uninstall one.',
    ],
  ]);
});

it.each([
  ['@prometheus-io/client', successor],
  ['prom-client', promClient],
])('registers with a registry of %s, without a warning', async (_name, { Counter, Registry }) => {
  const warn = jest.fn();
  const registry = new Registry();
  const metrics = started({ registry, warn });
  expect(metrics.registry).toBe(registry);
  new Counter({ name: 'jobs_total', help: 'Jobs', registers: [registry] }).inc(3);
  const text = await registry.metrics();
  expect(text).toContain('\njobs_total 3\n');
  expect(text).toContain('\ninprogress_requests 0\n');
  expect(text).toContain('\nmetrics_scrapes_total{code="200"} 0\n');
  expect(text).toContain('\nprocess_start_time_seconds ');
  expect(warn.mock.calls).toEqual([]);
});
