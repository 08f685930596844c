/** The end of an instrumentation: by `close`, or because the application is garbage-collected. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, jest } from '@jest/globals';
import { Counter, Registry } from '@prometheus-io/client';
import express from 'express';
import { until } from '../../test/support/until.ts';
import { instrument, type Metrics } from '../src/index.ts';
import { measure, ok, serve } from './harness.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** `handle` is missing from Express's types. */
type App = express.Express & { handle(...parameters: unknown[]): unknown };

it.each(['express', 'express-4'])(
  'restores everything, so that only the next instrumentation counts: %s',
  async (version) => {
    const { default: createApp } = (await import(version)) as { default: () => App };
    const registry = new Registry();
    new Counter({ name: 'jobs_total', help: 'Jobs', registers: [registry] });
    const application = createApp();
    const nested = createApp();
    application.get('/a', ok).use('/nested', nested.get('/b', ok));
    const original = [application.handle, application.use, nested.use];
    const first = instrument(application, { registry });
    const earlier = await serve(application, first);
    await fetch(`${earlier.url}/a`);
    await earlier.expectCounted({ 'get /a 200': 1 });
    first.close();
    first.close();
    await until('the server of its metrics to end', () => !earlier.metricsServer.listening);
    expect([application.handle, application.use, nested.use]).toEqual(original);
    expect(Object.keys(application.response)).not.toContain('detachSocket');
    expect(registry.getMetricsAsArray().map(({ name }) => name)).toEqual(['jobs_total']);
    await fetch(`${earlier.url}/a`);

    const later = await serve(application, instrument(application, { registry }));
    for (const path of ['/a', '/nested/b']) await fetch(later.url + path);
    await later.expectCounted({ 'get /a 200': 1, 'get /nested/b 200': 1 });
    later.metrics.close();
  },
);

it('stops counting even if the application was wrapped again after it was instrumented', async () => {
  const application = express().get('/a', ok) as App;
  const first = measure(application);
  const measured = application.handle;
  application.handle = function wrapped(...parameters: unknown[]) {
    return measured.apply(this, parameters);
  };
  first.close();
  const later = await serve(application);
  await fetch(`${later.url}/a`);
  await later.expectCounted({ 'get /a 200': 1 });
  expect(first.registry.getMetricsAsArray()).toEqual([]);
});

it('leaves nothing in a registry if one of its names is taken', () => {
  const registry = new Registry();
  new Counter({ name: 'metrics_scrapes_total', help: 'Mine', registers: [registry] });
  const application = express();
  expect(() => instrument(application, { registry })).toThrow('has already been registered');
  expect(registry.getMetricsAsArray()).toHaveLength(1);
  registry.clear();
  instrument(application, { registry }).close();
});

it('watches the event loop with one timer for all applications, until the last of them is closed', () => {
  const timers = new Set<unknown>();
  const { setInterval: set, clearInterval: clear } = globalThis;
  const setting = jest.spyOn(globalThis, 'setInterval').mockImplementation(((...parameters: never[]) => {
    const timer = (set as (...all: never[]) => NodeJS.Timeout)(...parameters);
    timers.add(timer);
    return timer;
  }) as never);
  const clearing = jest.spyOn(globalThis, 'clearInterval').mockImplementation((timer) => {
    timers.delete(timer);
    clear(timer);
  });
  const all = Array.from({ length: 3 }, () => instrument(express(), { registry: new Registry() }));
  const during = timers.size;
  for (const metrics of all) metrics.close();
  setting.mockRestore();
  clearing.mockRestore();
  // @prometheus-io/client also has one for the process.
  expect(during - timers.size).toBe(1);
  expect(timers.size).toBeLessThanOrEqual(1);
});

/** `stack` is missing from Express's types. */
type Shared = express.Router & { readonly stack: readonly { readonly handle: unknown }[] };

describe.each(['express', 'express-4'])('an application that is dropped without close() (%s)', (version) => {
  const nothing = () => undefined;
  it.each<[string, (shared: Shared, nested: App) => unknown, boolean]>([
    ['its own registry', nothing, false],
    ['a registry that is kept', nothing, true],
    ['a router that other applications also use', (shared) => shared, false],
    ['a nested application that is also mounted elsewhere', (_shared, nested) => nested, false],
    ['both, and a registry that is kept', (shared, nested) => nested.use(shared), true],
  ])('is freed, with %s', async (_name, mountOf, isRegistryKept) => {
    const { default: createExpress } = (await import(version)) as { default: typeof express };
    const registry = new Registry();
    const shared = createExpress.Router().get('/b', ok) as Shared;
    const mount = mountOf(shared, createExpress().get('/c', ok) as App);
    async function use(i: number): Promise<WeakRef<object>> {
      const application = createExpress().get('/a', ok);
      const { handler } = instrument(application, {
        registry: isRegistryKept ? registry : new Registry(),
        prefix: `app${i}_`,
      });
      if (mount) application.use(mount as Shared);
      for (const listener of [application, handler]) {
        const one = createServer(listener).listen(0, '127.0.0.1');
        await once(one, 'listening');
        const { port } = one.address() as AddressInfo;
        for (const path of ['a', 'b', 'c']) {
          const headers = { connection: 'close' };
          await (await fetch(`http://127.0.0.1:${port}/${path}`, { headers })).text();
        }
        one.close();
        await once(one, 'close');
      }
      return new WeakRef(application);
    }
    const references: WeakRef<object>[] = [];
    const entrances: unknown[] = [];
    for (let i = 0; i < 10; i++) {
      references.push(await use(i));
      entrances.push(shared.stack[0]?.handle);
    }
    expect(new Set(entrances).size).toBe(1);
    const alive = () => references.filter((reference) => reference.deref()).length;
    await until('the applications to be freed', async () => {
      await setImmediate();
      collectGarbage();
      // A connection of `fetch`, and a mounted application with its `parent`, may still refer to the last one.
      return alive() <= 1;
    });
  });
});

it.each(['express', 'express-4'])(
  'removes one application from a router that another continues to use: %s',
  async (version) => {
    const { default: createExpress } = (await import(version)) as { default: typeof express };
    const shared = createExpress.Router().get('/b', ok) as Shared;
    const before = shared.stack[0]?.handle;
    const [first, second] = [0, 1].map(() => {
      const application = createExpress().use('/r', shared);
      return { application, metrics: measure(application) };
    }) as [{ application: App; metrics: Metrics }, { application: App; metrics: Metrics }];
    const outer = createExpress().use(first.application);
    const both = measure(outer);
    const servers = await Promise.all([serve(outer, both), serve(second.application, second.metrics)]);
    for (const { url } of servers) await fetch(`${url}/r/b`);
    expect((await first.metrics.registry.getSingleMetric('http_requests_total')?.get())?.values).toEqual([
      expect.objectContaining({ value: 1 }),
    ]);
    first.metrics.close();
    for (const { url, settled } of servers) {
      await fetch(`${url}/r/b`);
      expect((await settled(2)).durations).toEqual({ 'get /r/b 200': 2 });
    }
    both.close();
    second.metrics.close();
    expect(shared.stack[0]?.handle).toBe(before);
  },
);
