/** An instrumented application that is mounted in another: its labels contain only its own mounts. */
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import type { Express } from 'express';
import type { Metrics } from '../src/index.ts';
import { measure, ok, serve } from './harness.ts';

const require = createRequire(import.meta.url);

const versions = ['express-4-18', 'express-4', 'express-5-0', 'express'];

describe.each(versions)('an instrumented application in another (%s)', (id) => {
  const express = require(id) as typeof import('express');
  const quiet = () => express().set('env', 'test') as Express;

  function buildInner(): Express {
    const inner = quiet();
    const router = express.Router();
    router.get('/x/:id', ok);
    inner.use('/a', router);
    inner.use('/b', router);
    inner.use('/files', ok);
    inner.get('/', ok);
    return inner;
  }

  async function counted(main: Express, metrics: Metrics, paths: readonly string[]) {
    const app = await serve(main, metrics);
    for (const path of paths) await (await fetch(app.url + path)).text();
    return (await app.settled(paths.length)).durations;
  }

  const requests = ['/a/x/1', '/b/x/1', '/b/x/2', '/files/1', '/', '/none'];
  const expected = {
    'get /a/x/:id 200': 1,
    'get /b/x/:id 200': 2,
    'get /files 200': 1,
    'get / 200': 1,
    'get unmatched 404': 1,
  };

  it.each(['before', 'after'])(
    'has labels relative to itself, instrumented %s it is mounted',
    async (when) => {
      const main = quiet();
      const inner = buildInner();
      const early = when === 'before' ? measure(inner) : undefined;
      main.use('/t/:tenant', inner);
      const metrics = early ?? measure(inner);
      const all = requests.map((path) => `/t/1${path}`);
      expect(await counted(main, metrics, all)).toEqual(expected);
    },
  );

  it('has the same labels when it is mounted twice', async () => {
    const main = quiet();
    const inner = buildInner();
    const metrics = measure(inner);
    main.use('/one', inner);
    main.use('/one/two', inner);
    expect(await counted(main, metrics, ['/one/a/x/1', '/one/two/b/x/1', '/one/two/files/1'])).toEqual({
      'get /a/x/:id 200': 1,
      'get /b/x/:id 200': 1,
      'get /files 200': 1,
    });
  });

  it('counts requests that it passes on as unmatched, and the outer application counts them by its route', async () => {
    const main = quiet();
    const inner = buildInner();
    const inside = measure(inner);
    main.use(inner);
    main.get('/outside/:id', ok);
    const outside = measure(main);
    const paths = ['/outside/1', '/b/x/1'];
    expect(await counted(main, inside, paths)).toEqual({
      'get unmatched 200': 1,
      'get /b/x/:id 200': 1,
    });
    // Includes the earlier requests.
    expect(await counted(main, outside, paths)).toEqual({
      'get /outside/:id 200': 2,
      'get /b/x/:id 200': 2,
    });
  });

  it('has the outer mount in its labels in the metrics of the outer application', async () => {
    const main = quiet();
    const inner = buildInner();
    measure(inner);
    main.use('/one', inner);
    const outside = measure(main);
    main.use('/two', inner);
    expect(await counted(main, outside, ['/one/a/x/1', '/two/b/x/1', '/two/files/1'])).toEqual({
      'get /one/a/x/:id 200': 1,
      'get /two/b/x/:id 200': 1,
      'get /two/files 200': 1,
    });
  });

  it('has the requested mount in its labels if it was mounted before instrument was called', async () => {
    const [main, middle, inner] = [quiet(), quiet(), quiet()];
    inner.get('/x/:id', ok);
    middle.use('/m', inner);
    middle.use('/n', inner);
    main.use('/o', middle);
    const metrics = measure(main);
    const seen = await counted(main, metrics, ['/o/m/x/1', '/o/n/x/1', '/o/m/x/2']);
    expect(seen).toEqual({ 'get /o/m/x/:id 200': 2, 'get /o/n/x/:id 200': 1 });
  });

  it('keeps its labels if a handler passes a request to it again', async () => {
    const inner = buildInner();
    inner.use('/v1', (request, response, next) => {
      (inner as unknown as { handle: (...values: unknown[]) => void }).handle(request, response, next);
    });
    inner.get('/v1/own', ok);
    const metrics = measure(inner);
    expect(await counted(inner, metrics, ['/v1/b/x/1', '/v1/own'])).toEqual({
      'get /b/x/:id 200': 1,
      'get /v1/own 200': 1,
    });
  });
});
