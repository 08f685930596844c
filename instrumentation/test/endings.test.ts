/** When a response ends and which route it belongs to, for unusual responses of applications and for clients that pipeline. */
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import type { Express, NextFunction, Request, Response } from 'express';
import { connectRaw } from '../../test/support/raw-client.ts';
import { until } from '../../test/support/until.ts';
import { outcome } from '../src/index.ts';
import { measure, serve, startApp, sum, type TestApp } from './harness.ts';

const require = createRequire(import.meta.url);
const big = 'x'.repeat(8_000_000);
const request = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';

let app: TestApp;

/** The code of each response in an access log. */
let outcomes: number[] = [];

async function start(answer: (response: Response, next: NextFunction) => unknown, createApp?: () => Express) {
  outcomes = [];
  const build = (application: Express) =>
    application.get('/a', (_q, response, next) => {
      response.once('close', () => outcomes.push(outcome(response)));
      answer(response, next);
    });
  app = await startApp(build, createApp ? { createApp } : {});
}

const send = (bytes = request) => app.send(bytes);

/** Sends `GET /a` on a new connection and reads until the connection ends. */
async function get(version = '1.1', extra = ''): Promise<string> {
  const client = await send(`GET /a HTTP/${version}\r\nHost: x\r\nConnection: close\r\n${extra}\r\n`);
  await client.closed();
  return client.text();
}

describe.each<[string, (string | undefined)[]]>([
  ['of prefinish', ['prefinish']],
  ['of close and finish', ['close', 'finish']],
  ['all', [undefined]],
])('a response whose listeners are removed (%s)', (_name, events) => {
  const remove = (response: Response) => {
    for (const event of events) event ? response.removeAllListeners(event) : response.removeAllListeners();
  };

  it.each(['before', 'after'])('counts if they are removed %s it is sent', async (when) => {
    await start((r) => {
      if (when === 'before') remove(r);
      r.send('ok');
      if (when === 'after') remove(r);
    });
    // Without Node's own listeners the connection stays open.
    const client = await send();
    await client.responses(1);
    await app.expectCounted({ 'get /a 200': 1 });
  });

  it('counts as 499 when the client disconnects before its end', async () => {
    let isRunning = false;
    await start((r) => {
      remove(r);
      r.write('half');
      isRunning = true;
    });
    const client = await send();
    await until('the handler to run', () => isRunning);
    client.socket.destroy();
    await app.expectCounted({ 'get /a 499': 1 });
  });
});

describe('a response that was passed to the operating system in full', () => {
  it.each<[string, (response: Response) => unknown]>([
    ['in finish', (r) => r.once('finish', () => r.socket?.destroy()).send('ok')],
    ['right after its end', (r) => r.send('ok').socket?.destroy()],
    ['by destroying the response', (r) => r.send('ok').destroy()],
    [
      'in the callback of end()',
      (r) => {
        const { socket } = r;
        r.end('ok', () => socket?.destroy(new Error('by the test')));
      },
    ],
  ])('keeps its status when the socket is destroyed: %s', async (_name, answer) => {
    await start(answer);
    expect(await get()).toContain('200 OK');
    await app.expectCounted({ 'get /a 200': 1 });
    expect(outcomes).toEqual([200]);
  });

  it('counts with the status that was sent, whatever is set afterwards', async () => {
    await start((r) => {
      r.status(201).write('half');
      r.status(500).end('rest');
    });
    expect(await get()).toContain('201 Created');
    await app.expectCounted({ 'get /a 201': 1 });
    expect(outcomes).toEqual([201]);
  });

  it('counts as 500 when the socket is destroyed before it is sent', async () => {
    await start((r) => r.send(big).socket?.destroy());
    await get();
    await app.expectCounted({ 'get /a 500': 1 });
    expect(outcomes).toEqual([500]);
  });

  it.each<[string, string, string, (response: Response) => unknown, number]>([
    ['HTTP/1.0', '1.0', '', (r) => r.send('ok'), 200],
    ['204', '1.1', '', (r) => r.sendStatus(204), 204],
    ['304', '1.1', '', (r) => r.status(304).end(), 304],
    ['chunks', '1.1', '', (r) => r.write('a', () => r.end('b')), 200],
    ['8 MB', '1.1', '', (r) => r.send(big), 200],
    ['an ignored request to upgrade to HTTP/2', '1.1', 'Upgrade: h2c\r\n', (r) => r.send('ok'), 200],
  ])('is counted once: %s', async (_name, version, extra, answer, code) => {
    await start(answer);
    await get(version, extra);
    await app.expectCounted({ [`get /a ${code}`]: 1 });
  });

  it('passes every event with its arguments to listeners', async () => {
    const seen: unknown[] = [];
    await start((r) => {
      for (const name of ['finish', 'close', 'own'])
        r.on(name, (...values: unknown[]) => seen.push([name, ...values]));
      r.emit('own', 1, 2, 3);
      r.send('ok');
    });
    await get();
    await until('its end', () => seen.length === 3);
    expect(seen).toEqual([['own', 1, 2, 3], ['finish'], ['close']]);
  });
});

describe.each(['express-4', 'express'])('a route that answers and calls next() (%s)', (id) => {
  const createApp = require(id) as () => Express;
  it.each<[string, (response: Response) => unknown]>([
    ['a small response', (r) => r.json(1)],
    ['a large response', (r) => r.send(big)],
    ['a response in parts', (r) => r.write('half') && setImmediate(() => r.end('rest'))],
  ])('keeps its label, whatever runs after it: %s', async (_name, answer) => {
    const build = (a: Express) =>
      a.get('/users/:id', (_q, r, next) => next(void answer(r))).all(/./, () => undefined);
    app = await startApp(build, { createApp });
    const client = await send('GET /users/1 HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(3));
    await client.responses(3);
    await app.expectCounted({ 'get /users/:id 200': 3 });
  });

  it('counts once even if it enters a second mount of the same application', async () => {
    const inner = createApp();
    const metrics = measure(inner);
    inner.get('/a', (_q: Request, r: Response, next: NextFunction) => next(void r.send('ok')));
    app = await serve(createApp().use(inner).use(inner), metrics);
    await get();
    await app.expectCounted({ 'get /a 200': 1 });
  });
});

/** The package does not change servers: such clients cost as much as with bare Express. */
describe('a client that pipelines', () => {
  it('gets the same responses as from bare Express: all 2,000 to one write', async () => {
    await start((r) => r.send('ok'));
    const client = await send(request.repeat(2_000));
    expect(await client.responses(2_000)).toHaveLength(2_000);
    await app.expectCounted({ 'get /a 200': 2_000 });
  });

  it('counts once per received request, with none left in progress, when it disconnects without reading', async () => {
    let handled = 0;
    await start((r) => {
      handled++;
      r.send('x'.repeat(100_000));
    });
    const client = await connectRaw(app.port);
    client.socket.pause();
    client.send(request.repeat(2_000));
    let before = -1;
    await until('the server to wait for the client', async () => {
      const isStill = handled === before && handled > 0;
      before = handled;
      await app.counts();
      return isStill;
    });
    client.socket.destroy();
    const { durations, inProgress } = await app.settled(handled);
    expect(Object.keys(durations).sort()).toEqual(['get /a 200', 'get /a 499']);
    expect([sum(durations), inProgress]).toEqual([handled, 0]);
  });
});
