/** Faulty metrics and functions of users: none ends the process, loses a count or breaks the exposition. */
import { describe, expect, it, jest } from '@jest/globals';
import { Counter, Gauge, Histogram, Registry } from '@prometheus-io/client';
import express, { type Express } from 'express';
import { createDeferred, until } from '../../test/support/until.ts';
import type { InstrumentOptions } from '../src/index.ts';
import { messagesOf, textOf } from './expositions.ts';
import { measure, ok, serve, startApp } from './harness.ts';

const tick = () => new Promise((resolve) => setImmediate(resolve));

function failing(): never {
  throw new Error('no such header');
}

describe('a function that the user passes', () => {
  const rejecting = async () => failing();
  const unprintable = () => {
    throw Object.create(null);
  };
  const throwing = () => {
    throw Promise.reject(new Error('no such header'));
  };

  const twoRoutes = (application: Express) => void application.get('/a', ok).get('/b', ok);
  const wanted = {
    skip: ['skip: expected true or false', 'the request is counted'],
    pathLabel: ['pathLabel: expected a string for "/a"', 'using the template'],
    exemplars: [
      'exemplars: expected labels of 1 to 128 characters, or undefined',
      'the request has no exemplar',
    ],
  };

  it.each<[keyof typeof wanted, string, unknown, string]>([
    ['skip', 'throws', failing, 'Error: no such header'],
    ['skip', 'throws a value without text', unprintable, 'unprintable'],
    ['skip', 'rejects', rejecting, '[object Promise]'],
    ['skip', 'throws a rejecting promise', throwing, '[object Promise]'],
    ['skip', 'returns long text', () => 'a'.repeat(1e6), 'a'.repeat(200)],
    ['skip', 'is asynchronous', async () => true, '[object Promise]'],
    ['skip', 'returns another type', () => 'kube-probe/1.30', 'kube-probe/1.30'],
    ['skip', 'returns nothing', () => undefined, 'undefined'],
    ['pathLabel', 'throws', failing, 'Error: no such header'],
    ['pathLabel', 'rejects', rejecting, '[object Promise]'],
    ['exemplars', 'throws', failing, 'Error: no such header'],
    ['exemplars', 'throws a rejecting promise', throwing, '[object Promise]'],
    ['exemplars', 'is asynchronous', async () => ({ trace_id: 'a' }), '[object Promise]'],
    ['exemplars', 'returns only the id', () => 'abc', 'abc'],
    ['exemplars', 'returns no label', () => ({}), '{}'],
    ['exemplars', 'returns a label that is no text', () => ({ id: [1] }), '{"id":[1]}'],
    ['exemplars', 'returns an object without JSON', () => ({ id: 1n }), '[object Object]'],
    ['pathLabel', 'returns nothing', () => undefined, 'undefined'],
  ])('%s that %s changes nothing and is reported once', async (option, _name, given, got) => {
    const warnings: string[] = [];
    const warn = (message: string) => void warnings.push(message);
    const app = await startApp(twoRoutes, { [option]: given, warn });
    for (const path of ['/a', '/b', '/a']) expect((await fetch(app.url + path)).status).toBe(200);
    expect((await app.settled(3)).requests).toEqual({ 'get /a': 2, 'get /b': 1 });
    const [expected, consequence] = wanted[option];
    expect(warnings).toEqual([`${expected}, got ${got}; ${consequence}`]);
  });

  it.each<[string, NonNullable<InstrumentOptions['warn']>]>([
    ['throws', failing],
    ['throws a rejecting promise', throwing],
    ['rejects', rejecting],
  ])('warn that %s loses only the warning', async (_name, warn) => {
    const app = await startApp(twoRoutes, { maxRoutes: 1, skip: failing, warn });
    for (const path of ['/a', '/b']) expect((await fetch(app.url + path)).status).toBe(200);
    await app.expectCounted({ 'get /a 200': 1, 'get unmatched 200': 1 });
  });

  it.each<[string, () => unknown, string]>([
    ['throws', failing, 'no such header'],
    ['throws a value without text', unprintable, 'unprintable'],
    ['rejects', rejecting, 'no such header'],
  ])('collect that %s causes a 500 that names the metric until it works', async (_name, collect, reason) => {
    let isBroken = true;
    const app = await startApp((application) => void application.get('/a', ok));
    const registers = [app.metrics.registry];
    const collector = async () => (isBroken ? collect() : undefined);
    new Gauge({ name: 'sensor', help: 'Sensor', registers, collect: collector as () => void });
    expect(await app.scrape()).toBe(`a collector failed: sensor: ${reason}\n`);
    isBroken = false;
    expect(await app.scrape()).toContain('\nsensor 0\n');
  });

  it('get of a metric that throws while another rejects does not end the process', async () => {
    const app = await startApp((application) => void application.get('/a', ok));
    const { registry } = app.metrics;
    const registers = [registry];
    new Gauge({ name: 'late', help: 'Late', registers, collect: rejecting as unknown as () => void });
    registry.registerMetric({ name: 'odd', get: failing } as unknown as Gauge);
    expect(await app.scrape()).toBe('a collector failed: odd: no such header\n');
    await tick();
    registry.removeSingleMetric('odd');
    expect(await app.scrape()).toBe('a collector failed: late: no such header\n');
  });

  it('collect that never ends causes a 500 after 10 s, and the next scrape is right', async () => {
    const app = await startApp(() => undefined);
    let isBroken = true;
    const collect = (() => (isBroken ? new Promise(() => undefined) : undefined)) as () => void;
    new Gauge({ name: 'sensor', help: 'Sensor', registers: [app.metrics.registry], collect });
    const timeouts = jest.spyOn(globalThis, 'setTimeout');
    const hung = app.scrape();
    const limit = () => timeouts.mock.calls.find(([, ms]) => ms === 10_000)?.[0];
    await until('the scrape to have a limit', () => limit() !== undefined);
    limit()?.();
    timeouts.mockRestore();
    expect(await hung).toBe('a collector failed: sensor: no values within 10000 ms\n');
    isBroken = false;
    expect(await app.scrape()).toContain('\nsensor 0\n');
  });
});

describe('a middleware that answers a scrape in place of the handler', () => {
  it('does not end the process', async () => {
    const application = express();
    const metrics = measure(application);
    const gate = createDeferred();
    const collect = (() => gate.promise) as unknown as () => void;
    new Gauge({ name: 'slow', help: 'Slow', registers: [metrics.registry], collect });
    application.get('/metrics', (request, response) => {
      metrics.handler(request, response);
      response.status(503).send('too late');
    });
    const app = await serve(application, metrics);
    expect(await (await fetch(`${app.url}/metrics`)).text()).toBe('too late');
    gate.resolve();
    await tick();
    expect(await app.scrape()).toContain('\nslow 0\n');
  });
});

describe('a user-defined sample', () => {
  const labelled = (registry: Registry, value: unknown) => {
    new Counter({ name: 'own_total', help: 'h', labelNames: ['q'], registers: [registry] }).inc({
      q: value as string,
    });
  };
  const circular: unknown[] = [];
  circular.push({ circular });
  let isFragile = false;
  const fragile = {
    toString() {
      if (isFragile) failing();
      return 'x';
    },
  };

  it.each<[string, unknown, string]>([
    ['an array with a quote', ['a"', 'b'], 'a\\",b'],
    ['an object', { a: 1 }, '[object Object]'],
    ['an array that contains itself', circular, '[object Object]'],
    ['null', null, ''],
    ['undefined', undefined, ''],
    ['a boolean', false, 'false'],
    ['a large integer', 2n ** 64n, '18446744073709551616'],
    ['infinity', Number.POSITIVE_INFINITY, '+Inf'],
    ['line ends and backslashes', ['\n\\'], '\\n\\\\'],
    ['half a character', 'a\ud800b', 'a\ufffdb'],
    ['NUL', 'a\0b', 'a\0b'],
    ['a megabyte', 'é'.repeat(500_000), 'é'.repeat(500_000)],
    ['an object that can no longer be converted', fragile, 'unprintable'],
  ])('can have as its label %s', async (_name, value, text) => {
    const registry = new Registry();
    labelled(registry, value);
    isFragile = true;
    const app = await startApp(() => undefined, { registry });
    expect(await app.scrape('own_total')).toContain(`\nown_total{q="${text}"} 1\n`);
    expect(await openMetricsOf(registry)).toContain(`\nown_total{q="${text}"} 1\n`);
    isFragile = false;
  });

  it('of a histogram can also have such labels in protobuf', async () => {
    const registry = new Registry();
    const registers = [registry];
    new Histogram({ name: 'own', help: 'h', labelNames: ['q'], buckets: [1e21], registers }).observe(
      { q: circular as unknown as string },
      1,
    );
    labelled(registry, ['a"', 2n]);
    registry.setDefaultLabels({ 'app-name': ['x'], '0': null });
    const app = await startApp(() => undefined, { registry });
    const added = { name: 'app_name', value: 'x' };
    expect(await ownMessages(registry)).toMatchObject([
      { name: 'own', metric: [{ label: [{ name: 'q', value: '[object Object]' }, added] }] },
      { name: 'own_total', metric: [{ label: [{ name: 'q', value: 'a",2' }, added] }] },
    ]);
    expect(await app.scrape('own')).toContain(
      '\nown_bucket{_0="",le="1e+21",q="[object Object]",app_name="x"} 1\n',
    );
  });

  it.each<[unknown, string]>([
    ['', '0'],
    ['7', '7'],
    ['x', 'NaN'],
    [undefined, 'NaN'],
    [7n, '7'],
    [Symbol('x'), 'NaN'],
    [{}, 'NaN'],
  ])('can have the value %p', async (value, text) => {
    const registry = new Registry();
    const get = async () => ({ name: 'own', help: 7, type: 'gauge', values: [{ value, labels: null }] });
    registry.registerMetric({ name: 'own', get } as unknown as Gauge);
    const app = await startApp(() => undefined, { registry });
    expect(await app.scrape('own')).toBe(`# HELP own 7\n# TYPE own gauge\nown ${text}\n`);
    expect(await ownMessages(registry)).toMatchObject([{ metric: [{ gauge: { value: Number(text) } }] }]);
  });

  it('can have a type that a format lacks', async () => {
    const registry = new Registry();
    const get = async () => ({ name: 'own', help: 'h', type: 'info' });
    registry.registerMetric({ name: 'own', get } as unknown as Gauge);
    const app = await startApp(() => undefined, { registry });
    expect(await app.scrape('own')).toBe('# HELP own h\n# TYPE own untyped\n');
    expect(await openMetricsOf(registry)).toContain('# TYPE own unknown\n');
  });
});

const openMetricsOf = (registry: Registry) => textOf(registry, 'openmetrics');

const ownMessages = async (registry: Registry) =>
  (await messagesOf(registry)).filter(({ name }) => `${name}`.startsWith('own'));
