/** Each way in which a request can end, over real sockets: counted once, under the right code, and out of the gauge. */

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Express, NextFunction, Request, Response } from 'express';
import { connectRaw } from '../../test/support/raw-client.ts';
import { until } from '../../test/support/until.ts';
import { startApp, type TestApp } from './harness.ts';

/** Responses whose handlers wait until the test lets them go on. */
let held: Response[] = [];

const big = 'x'.repeat(8_000_000);

function build(application: Express): void {
  application
    .route('/ok')
    .get((_q, r) => void r.send('ok'))
    .post((_q, r) => void r.status(201).send('ok'))
    .all((_q, r) => void r.sendStatus(405));
  application.get('/held', (_q, r) => void held.push(r));
  application.get('/big', (_q, r) => void r.send(big));
  application.get('/teapot', (_q, r) => void r.status(418).send('teapot'));
  application.get('/throws', () => {
    throw new Error('thrown by the test');
  });
  application.get('/rejects', () => Promise.reject(new Error('rejected by the test')));
  application.get('/half', (_q, r, next) => void r.write('half', () => next(new Error('failed half-way'))));
  application.get('/broken-source', async (_q, r) => {
    const source = Readable.from(
      (async function* () {
        yield 'half';
        throw new Error('the source broke');
      })(),
    );
    await pipeline(source, r);
  });
  application.post('/body', async (q, r) => {
    let size = 0;
    for await (const chunk of q) size += (chunk as Buffer).length;
    r.send(String(size));
  });
  application.use((_error: Error, _q: Request, response: Response, _next: NextFunction) => {
    if (response.headersSent) response.destroy();
    else response.sendStatus(500);
  });
}

let app: TestApp;

beforeEach(async () => {
  held = [];
  app = await startApp(build);
});

afterEach(() => app.close());

function get(path: string, extra = '', method = 'GET'): string {
  return `${method} ${path} HTTP/1.1\r\nHost: x\r\n${extra}\r\n`;
}

/** Sends `bytes` on a new connection and waits for `statuses`. */
async function exchange(bytes: string, statuses: string[]): Promise<void> {
  const client = await connectRaw(app.port);
  client.send(bytes);
  expect(await client.responses(statuses.length)).toEqual(statuses);
  client.socket.destroy();
}

const none = { requests: {}, errors: {}, durations: {}, inProgress: 0 };

describe('a request that the server answers', () => {
  it.each([
    [
      'answered normally',
      get('/ok'),
      '200',
      { requests: { 'get /ok': 1 }, errors: {}, durations: { 'get /ok 200': 1 } },
    ],
    [
      'HEAD, as get',
      get('/ok', '', 'HEAD'),
      '200',
      { requests: { 'get /ok': 1 }, errors: {}, durations: { 'get /ok 200': 1 } },
    ],
    [
      'unmatched',
      get('/nowhere'),
      '404',
      { requests: {}, errors: { 404: 1 }, durations: { 'get unmatched 404': 1 } },
    ],
    [
      'unmatched HEAD, as get',
      get('/nowhere', '', 'HEAD'),
      '404',
      { requests: {}, errors: { 404: 1 }, durations: { 'get unmatched 404': 1 } },
    ],
    [
      'a method that the path lacks',
      get('/ok', '', 'PUT'),
      '405',
      { requests: {}, errors: { 405: 1 }, durations: { 'other unmatched 405': 1 } },
    ],
    [
      'a handler that throws',
      get('/throws'),
      '500',
      { requests: { 'get /throws': 1 }, errors: { 500: 1 }, durations: { 'get /throws 500': 1 } },
    ],
    [
      'a handler that rejects',
      get('/rejects'),
      '500',
      { requests: { 'get /rejects': 1 }, errors: { 500: 1 }, durations: { 'get /rejects 500': 1 } },
    ],
    [
      'a status that nobody declared',
      get('/teapot'),
      '418',
      { requests: { 'get /teapot': 1 }, errors: { 418: 1 }, durations: { 'get /teapot 418': 1 } },
    ],
    [
      'a malformed percent-encoding',
      get('/%zz'),
      '404',
      { requests: {}, errors: { 404: 1 }, durations: { 'get unmatched 404': 1 } },
    ],
    [
      'an expectation that nobody knows',
      get('/ok', 'Expect: miracles\r\n'),
      '200',
      { requests: { 'get /ok': 1 }, errors: {}, durations: { 'get /ok 200': 1 } },
    ],
    [
      'an upgrade that nobody offers',
      get('/ok', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'),
      '200',
      { requests: { 'get /ok': 1 }, errors: {}, durations: { 'get /ok 200': 1 } },
    ],
  ])('is counted once: %s', async (_name, bytes, status, expected) => {
    await exchange(bytes, [status]);
    expect(await app.settled(1)).toEqual({ ...none, ...expected });
  });

  it('is counted once when it waits for 100 Continue', async () => {
    const client = await connectRaw(app.port);
    client.send('POST /body HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n');
    expect(await client.responses(1)).toEqual(['100']);
    client.send('body');
    expect(await client.responses(2)).toEqual(['100', '200']);
    client.socket.destroy();
    expect((await app.settled(1)).durations).toEqual({ 'post /body 200': 1 });
  });

  it('is counted once each on a kept-alive connection, also where its body is not read', async () => {
    const client = await connectRaw(app.port);
    for (let i = 1; i <= 3; i++) {
      client.send(`POST /ok HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n${'b'.repeat(100_000)}`);
      await client.responses(i);
    }
    client.socket.destroy();
    expect((await app.settled(3)).durations).toEqual({ 'post /ok 201': 3 });
  });

  it('keeps its status when the client closes its half of the connection, or asks for its end', async () => {
    const half = await connectRaw(app.port);
    half.socket.end(get('/ok'));
    expect(await half.responses(1)).toEqual(['200']);
    await half.closed();
    const last = await connectRaw(app.port);
    last.send(get('/ok', 'Connection: close\r\n'));
    await last.closed();
    expect(last.text()).toContain('200 OK');
    expect((await app.settled(2)).durations).toEqual({ 'get /ok 200': 2 });
  });

  it('is counted once each when pipelined', async () => {
    await exchange(get('/ok') + get('/nowhere') + get('/ok'), ['200', '404', '200']);
    expect((await app.settled(3)).durations).toEqual({ 'get /ok 200': 2, 'get unmatched 404': 1 });
  });
});

describe('a request whose client goes away', () => {
  it('is a 499 when the client closes while the handler works', async () => {
    const client = await connectRaw(app.port);
    client.send(get('/held'));
    await until('the handler to run', () => held.length === 1);
    expect((await app.counts()).inProgress).toBe(1);
    client.socket.destroy();
    expect(await app.settled(1)).toEqual({
      requests: { 'get /held': 1 },
      errors: { 499: 1 },
      durations: { 'get /held 499': 1 },
      inProgress: 0,
    });
  });

  it('is a 499 when the client resets the connection', async () => {
    const client = await connectRaw(app.port);
    client.send(get('/held'));
    await until('the handler to run', () => held.length === 1);
    client.socket.resetAndDestroy();
    expect((await app.settled(1)).durations).toEqual({ 'get /held 499': 1 });
  });

  it('is a 499 when the client closes in the middle of the response', async () => {
    const client = await connectRaw(app.port);
    client.send(get('/big'));
    await client.responses(1);
    client.socket.destroy();
    expect((await app.settled(1)).durations).toEqual({ 'get /big 499': 1 });
  });

  it('is a 499 when the client closes in the middle of its own body', async () => {
    const client = await connectRaw(app.port);
    client.send('POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf');
    await until('the request to enter', async () => (await app.counts()).inProgress === 1);
    client.socket.destroy();
    expect((await app.settled(1)).durations).toEqual({ 'post /body 499': 1 });
  });

  it('is a 499 when the body is not HTTP', async () => {
    const client = await connectRaw(app.port);
    client.send('POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n');
    await until('the request to enter', async () => (await app.counts()).inProgress === 1);
    client.send('not a chunk\r\n');
    await client.closed();
    expect((await app.settled(1)).durations).toEqual({ 'post /body 499': 1 });
  });

  it('stays one 499 when the handler answers after the client has gone', async () => {
    const client = await connectRaw(app.port);
    client.send(get('/held'));
    await until('the handler to run', () => held.length === 1);
    client.socket.destroy();
    await app.settled(1);
    held[0]?.send('too late');
    await exchange(get('/ok'), ['200']);
    expect((await app.settled(2)).durations).toEqual({ 'get /held 499': 1, 'get /ok 200': 1 });
  });

  it('is a 499 for each pipelined request that waited', async () => {
    const client = await connectRaw(app.port);
    client.send(get('/held') + get('/held') + get('/ok'));
    await until('the handlers to run', async () => (await app.counts()).inProgress === 3);
    client.socket.destroy();
    expect((await app.settled(3)).durations).toEqual({ 'get /held 499': 2, 'get /ok 499': 1 });
  });

  it('is not counted when it never was a request', async () => {
    const client = await connectRaw(app.port);
    client.send('GET /ok HTTP/1.1\r\nHost:');
    client.socket.destroy();
    const garbage = await connectRaw(app.port);
    garbage.send('\u0016\u0003\u0001 this is TLS\r\n\r\n');
    await garbage.closed();
    const proxy = await connectRaw(app.port);
    proxy.send('CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n');
    await proxy.closed();
    await exchange(get('/ok'), ['200']);
    expect((await app.settled(1)).durations).toEqual({ 'get /ok 200': 1 });
  });
});

describe('a response that the server itself cuts', () => {
  it.each([
    ['a handler that fails half-way', '/half', 'get /half 500'],
    ['a source that breaks half-way', '/broken-source', 'get /broken-source 500'],
  ])('is a 500: %s', async (_name, path, series) => {
    const client = await connectRaw(app.port);
    client.send(get(path));
    await client.closed();
    expect(client.text()).toContain('half');
    expect((await app.settled(1)).durations).toEqual({ [series]: 1 });
  });

  it.each([
    ['with an error', new Error('destroyed by the test')],
    ['without one', undefined],
  ])('is a 500 when it is destroyed %s', async (_name, error) => {
    const client = await connectRaw(app.port);
    client.send(get('/held'));
    await until('the handler to run', () => held.length === 1);
    held[0]?.destroy(error);
    await client.closed();
    expect((await app.settled(1)).durations).toEqual({ 'get /held 500': 1 });
  });

  it.each<[string, (response: Response) => void]>([
    ['the socket', (response) => response.socket?.destroy(new Error('destroyed by the test'))],
    [
      'the request',
      (response) => response.req.once('error', () => undefined).destroy(new Error('by the test')),
    ],
    [
      'the request, with a code',
      (response) =>
        response.req
          .once('error', () => undefined)
          .destroy(Object.assign(new Error('by the test'), { code: 'ENOENT' })),
    ],
  ])('is a 500 when it is destroyed with an error by way of %s', async (_name, destroy) => {
    const client = await connectRaw(app.port);
    client.send(get('/held'));
    await until('the handler to run', () => held.length === 1);
    destroy(held[0] as Response);
    await client.closed();
    expect((await app.settled(1)).durations).toEqual({ 'get /held 500': 1 });
  });

  it('is a 500 when a shutdown has waited long enough, and the answered ones keep their code', async () => {
    const client = await connectRaw(app.port);
    const patient = await connectRaw(app.port);
    client.send(get('/held'));
    await until('the first handler to run', () => held.length === 1);
    patient.send(get('/held'));
    await until('the second handler to run', () => held.length === 2);
    const closed = new Promise((resolve) => app.server.close(resolve));
    held[1]?.send('in time');
    expect(await patient.responses(1)).toEqual(['200']);
    app.server.closeAllConnections();
    await closed;
    await client.closed();
    expect(await app.settled(2)).toMatchObject({
      durations: { 'get /held 200': 1, 'get /held 500': 1 },
      inProgress: 0,
    });
  });
});
