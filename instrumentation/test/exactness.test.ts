/** Each way in which a request can end, over real sockets: it counts once, with the right code, and the gauge returns to 0. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Express, NextFunction, Request, Response } from 'express';
import { connectRaw, type RawClient } from '../../test/support/raw-client.ts';
import { until } from '../../test/support/until.ts';
import { startApp, type TestApp } from './harness.ts';

/** Responses that wait for the test. */
let held: Response[] = [];

const big = 'x'.repeat(8_000_000);

async function* breakHalfWay() {
  yield 'half';
  throw new Error('the source broke');
}

function build(application: Express): void {
  application
    .route('/ok')
    .get((_q, r) => void r.send('ok'))
    .post((_q, r) => void r.status(201).send('ok'))
    .all((_q, r) => void r.sendStatus(405));
  application.get('/held', (_q, r) => void held.push(r));
  application.get('/big', (_q, r) => void r.send(big));
  application.get('/half', (_q, r, next) => void r.write('half', () => next(new Error('failed half-way'))));
  application.get('/broken-source', async (_q, r) => {
    await pipeline(Readable.from(breakHalfWay()), r);
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

const get = (path: string, extra = '', method = 'GET') =>
  `${method} ${path} HTTP/1.1\r\nHost: x\r\n${extra}\r\n`;

/** Sends `bytes` on a new connection and waits for `statuses`. */
async function exchange(bytes: string, statuses: string[]): Promise<void> {
  const client = await app.send(bytes);
  expect(await client.responses(statuses.length)).toEqual(statuses);
  client.socket.destroy();
}

/** A client whose request is in the handler of `/held`. */
async function hold(): Promise<RawClient> {
  const client = await connectRaw(app.port);
  const before = held.length;
  client.send(get('/held'));
  await until('the handler to run', () => held.length > before);
  return client;
}

describe('a request that the server answers', () => {
  it.each([
    ['a malformed percent-encoding', get('/%zz'), '404', 'get unmatched 404'],
    ['an unknown expectation', get('/ok', 'Expect: miracles\r\n'), '200', 'get /ok 200'],
    ['a refused upgrade', get('/ok', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'), '200', 'get /ok 200'],
  ])('is counted once: %s', async (_name, bytes, status, series) => {
    await exchange(bytes, [status]);
    await app.expectCounted({ [series]: 1 });
  });

  it('counts once when it waits for 100 Continue', async () => {
    const client = await app.send(
      'POST /body HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n',
    );
    expect(await client.responses(1)).toEqual(['100']);
    client.send('body');
    expect(await client.responses(2)).toEqual(['100', '200']);
    client.socket.destroy();
    await app.expectCounted({ 'post /body 200': 1 });
  });

  it('counts once each on a kept-alive connection, even if its body is not read', async () => {
    const client = await connectRaw(app.port);
    for (let i = 1; i <= 3; i++) {
      client.send(`POST /ok HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n${'b'.repeat(100_000)}`);
      await client.responses(i);
    }
    client.socket.destroy();
    await app.expectCounted({ 'post /ok 201': 3 });
  });

  it('keeps its status when the client half-closes the connection or sends Connection: close', async () => {
    const half = await connectRaw(app.port);
    half.socket.end(get('/ok'));
    expect(await half.responses(1)).toEqual(['200']);
    await half.closed();
    const last = await app.send(get('/ok', 'Connection: close\r\n'));
    await last.closed();
    expect(last.text()).toContain('200 OK');
    await app.expectCounted({ 'get /ok 200': 2 });
  });
});

describe('a request whose client disconnects', () => {
  it.each<[string, (client: RawClient) => unknown]>([
    ['closes', ({ socket }) => socket.destroy()],
    ['resets the connection', ({ socket }) => socket.resetAndDestroy()],
  ])('counts as 499 when the client %s while the handler works', async (_name, leave) => {
    const client = await hold();
    expect((await app.counts()).inProgress).toBe(1);
    leave(client);
    await app.expectCounted({ 'get /held 499': 1 });
  });

  it('counts as 499 when the client closes in the middle of the response', async () => {
    const client = await connectRaw(app.port);
    // Before it has read enough for the system to accept the rest.
    client.socket.once('data', () => client.socket.destroy());
    client.send(get('/big'));
    await client.closed();
    await app.expectCounted({ 'get /big 499': 1 });
  });

  it.each<[string, string, (client: RawClient) => unknown]>([
    [
      'the client closes in the middle of its own body',
      'Content-Length: 10\r\n\r\nhalf',
      ({ socket }) => socket.destroy(),
    ],
    [
      'the body is not HTTP',
      'Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n',
      ({ send }) => send('not a chunk\r\n'),
    ],
  ])('counts as 499 when %s', async (_name, begun, end) => {
    const client = await app.send(`POST /body HTTP/1.1\r\nHost: x\r\n${begun}`);
    await until('the request to enter', async () => (await app.counts()).inProgress === 1);
    end(client);
    await client.closed();
    await app.expectCounted({ 'post /body 499': 1 });
  });

  it('counts as one 499 when the handler answers after the client has disconnected', async () => {
    (await hold()).socket.destroy();
    await app.settled(1);
    held[0]?.send('too late');
    await exchange(get('/ok'), ['200']);
    await app.expectCounted({ 'get /held 499': 1, 'get /ok 200': 1 });
  });

  it('counts as 499 for each waiting pipelined request', async () => {
    const client = await app.send(get('/held') + get('/held') + get('/ok'));
    await until('the handlers to run', async () => (await app.counts()).inProgress === 3);
    client.socket.destroy();
    await app.expectCounted({ 'get /held 499': 2, 'get /ok 499': 1 });
  });

  it('does not count if its head is incomplete, invalid or a CONNECT', async () => {
    const client = await app.send('GET /ok HTTP/1.1\r\nHost:');
    client.socket.destroy();
    for (const bytes of [
      '\u0016\u0003\u0001 this is TLS\r\n\r\n',
      'CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n',
    ]) {
      const other = await app.send(bytes);
      await other.closed();
    }
    await exchange(get('/ok'), ['200']);
    await app.expectCounted({ 'get /ok 200': 1 });
  });
});

describe('a response that the server itself cuts short', () => {
  it.each([
    ['a handler that fails half-way', '/half'],
    ['a source that breaks half-way', '/broken-source'],
  ])('counts as 500: %s', async (_name, path) => {
    const client = await app.send(get(path));
    await client.closed();
    expect(client.text()).toContain('half');
    await app.expectCounted({ [`get ${path} 500`]: 1 });
  });

  const failure = (code?: string) => Object.assign(new Error('destroyed by the test'), code && { code });
  const destroyRequest = ({ req }: Response, error: Error) =>
    req.once('error', () => undefined).destroy(error);
  it.each<[string, (response: Response) => unknown]>([
    ['without an error', (response) => response.destroy()],
    ['with an error', (response) => response.destroy(failure())],
    ['with an error, by its socket', ({ socket }) => socket?.destroy(failure())],
    ['with an error, by its request', (response) => destroyRequest(response, failure())],
    [
      'with an error that has a code, by its request',
      (response) => destroyRequest(response, failure('ENOENT')),
    ],
  ])('counts as 500 when it is destroyed %s', async (_name, destroy) => {
    const client = await hold();
    destroy(held[0] as Response);
    await client.closed();
    await app.expectCounted({ 'get /held 500': 1 });
  });

  it('counts as 500 when the grace time of a shutdown ends, and answered requests keep their code', async () => {
    const cut = await hold();
    const answered = await hold();
    const closed = new Promise((resolve) => app.server.close(resolve));
    held[1]?.send('in time');
    expect(await answered.responses(1)).toEqual(['200']);
    app.server.closeAllConnections();
    await closed;
    await cut.closed();
    await app.expectCounted({ 'get /held 200': 1, 'get /held 500': 1 });
  });
});
