import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { certificate } from '../../test/support/certificate.ts';
import { freePort } from '../../test/support/free-port.ts';
import { until } from '../../test/support/until.ts';
import type { FailureKind } from '../src/common/result.ts';
import { cleanUpClients, createClient, LAST, OK, send } from './clients.ts';
import { serveHttp, serveRaw, serveTls } from './servers.ts';

cleanUpClients();
afterEach(() => void jest.restoreAllMocks());

describe('a server that', () => {
  it.each<[string, (socket: Socket) => void, FailureKind]>([
    ['resets', (socket) => socket.resetAndDestroy(), 'reset'],
    ['closes without a response', (socket) => socket.end(), 'reset'],
    ['closes in a body', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok'), 'reset'],
    ['sends garbage', (socket) => socket.write('\0\x01\x02garbage'), 'protocol'],
    ['sends half a head and no more', (socket) => socket.write('HTTP/1.1 200 O'), 'timeout'],
    ['never responds', () => {}, 'timeout'],
    ['announces an endless body', (socket) => socket.write(OK.replace('2\r', '999999999999\r')), 'too-large'],
  ])('%s makes the request fail as sent, with the right kind', async (_, act, kind) => {
    const server = await serveRaw(act);
    const { client, recorder } = createClient(server.url, kind === 'timeout' ? { timeoutMs: 200 } : {});
    await send(client);
    expect(recorder).toMatchObject({ statuses: [], failures: [{ kind, wasSent: true }] });
    await until('the connection is closed', () => server.sockets.size === 0);
  });

  it('never ends a body is aborted by the timeout', async () => {
    const server = await serveHttp((_request, response) => {
      const timer = setInterval(() => response.write('x'.repeat(1000)), 5);
      response.once('close', () => clearInterval(timer));
    });
    const { client, recorder } = createClient(server.url, { timeoutMs: 200 });
    await send(client);
    expect(recorder.failures).toEqual([{ kind: 'timeout', wasSent: true }]);
  });

  it('responds in time causes no timeout, even if the client cannot run until the time is over', async () => {
    let nowMs = performance.now();
    jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
    const server = await serveRaw((socket) => {
      socket.write(OK);
      nowMs += 1000;
      // Afterwards, the client's timer is due.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    });
    const { client, recorder } = createClient(server.url, { timeoutMs: 500 });
    await send(client);
    expect(recorder).toMatchObject({ statuses: [200], failures: [] });
  });

  it('fails once gets the next request on a new connection', async () => {
    let requests = 0;
    const act = (socket: Socket) => (++requests === 1 ? socket.resetAndDestroy() : socket.write(OK));
    const { client, recorder } = createClient((await serveRaw(act)).url);
    await send(client, 2);
    expect(recorder).toMatchObject({ statuses: [200], failures: [{ kind: 'reset' }] });
  });
});

describe('several addresses', () => {
  it('take over requests of one that refuses, and these are counted', async () => {
    const server = await serveRaw((socket) => socket.write(OK));
    const addresses = ['127.0.0.2', '127.0.0.3', '127.0.0.1'];
    const { client, recorder } = createClient(server.url, { addresses });
    await send(client, 3);
    expect(recorder).toMatchObject({ statuses: [200, 200, 200], failures: [] });
    expect(client.rerouted).toBe(2);
  });

  it.each([
    ['one', ['127.0.0.1'], 0],
    ['the last one', ['127.0.0.1', '127.0.0.2'], 1],
  ])('fail as refused, and as not sent, if %s refuses', async (_, addresses, rerouted) => {
    const { client, recorder } = createClient(`http://127.0.0.1:${await freePort()}`, { addresses });
    await send(client);
    expect(recorder.failures).toEqual([{ kind: 'refused', wasSent: false }]);
    expect(client.rerouted).toBe(rerouted);
  });

  /** Two addresses whose servers call `answer` with the address and the number of the request on its connection. */
  async function serveTwo(answer: (address: string, nth: number) => string | undefined) {
    const served: string[] = [];
    const server = await serveRaw((socket, _text, nth) => {
      const { localAddress = '' } = socket;
      served.push(localAddress.slice(-1));
      const text = answer(localAddress, nth);
      if (text === undefined) socket.resetAndDestroy();
      else socket.write(text);
    }, '0.0.0.0');
    const { client, recorder } = createClient(server.url, { addresses: ['127.0.0.2', '127.0.0.1'] });
    return { served, client, recorder, server };
  }

  it('get equal shares, one request after the other, each on one connection', async () => {
    const { served, client, server } = await serveTwo(() => OK);
    await send(client, 6);
    expect([served.join(''), server.accepted()]).toEqual(['212121', 2]);
  });

  it('never get a request that was sent to another', async () => {
    const { served, client, recorder } = await serveTwo(() => undefined);
    await send(client);
    expect([served, recorder.failures]).toEqual([['2'], [{ kind: 'reset', wasSent: true }]]);
  });

  it('are avoided while they drain, if there are others', async () => {
    let isDraining = false;
    const { served, client, recorder } = await serveTwo((address) =>
      isDraining && address === '127.0.0.2' ? LAST : OK,
    );
    await send(client, 2);
    isDraining = true;
    await send(client, 8);
    // The kept connection and a new one each get a response with Connection: close.
    expect(served.join('')).toBe('2121211111');
    expect(recorder.statuses).toHaveLength(10);
  });

  it('are avoided again while they still drain, if they are used because others drain, too', async () => {
    const draining = new Set<string>();
    const { served, client, recorder } = await serveTwo((address) => (draining.has(address) ? LAST : OK));
    await send(client, 2);
    draining.add('127.0.0.2');
    await send(client, 6);
    draining.add('127.0.0.1');
    await send(client, 6);
    // Each gets one response on its kept connection and one on a new connection; then the client tries the other one.
    expect(served.join('')).toBe('21212111112121');
    expect(recorder.statuses).toHaveLength(14);
  });

  it.each<[string, (nth: number) => boolean]>([
    ['limit the requests per connection', (nth) => nth === 2],
    ['have never kept a connection', () => true],
  ])('are not avoided when they %s', async (_, isLast) => {
    const { served, client, recorder } = await serveTwo((address, nth) =>
      address === '127.0.0.2' && isLast(nth) ? LAST : OK,
    );
    await send(client, 12);
    expect([served.join(''), recorder.failures]).toEqual(['212121212121', []]);
  });
});

describe('the client', () => {
  it('has no more requests in flight than connections, and leaves no connection open when it is closed', async () => {
    const server = await serveRaw(() => {});
    const { client, recorder } = createClient(server.url, { connections: 2 });
    expect([client.start(0, 0), client.start(0, 0), client.start(0, 0)]).toEqual([true, true, false]);
    expect(client.inFlight).toBe(2);
    await until('all are connected', () => server.sockets.size === 2);
    client.close();
    await until('none is connected', () => server.sockets.size === 0);
    expect(recorder.failures.map(({ kind }) => kind)).toEqual(['reset', 'reset']);
  });
});

describe('TLS', () => {
  const trusted = getCACertificates('default');
  afterEach(() => setDefaultCACertificates(trusted));
  const answer: RequestListener = (_, response) => response.end('ok');

  it('keeps connections alive if the certificate is trusted', async () => {
    setDefaultCACertificates([certificate]);
    const server = await serveTls(answer);
    const { client, recorder } = createClient(server.url);
    await send(client, 3);
    expect(recorder).toMatchObject({ statuses: [200, 200, 200], failures: [] });
    expect(server.accepted()).toBe(1);
  });

  it.each([
    ['whose certificate is unknown', serveTls],
    ['that speaks none', serveHttp],
  ])('fails as tls, and as not sent, against a server %s', async (_, serve) => {
    const { url } = await serve(answer);
    const { client, recorder } = createClient(url.replace('http:', 'https:'));
    await send(client);
    expect(recorder.failures).toEqual([{ kind: 'tls', wasSent: false }]);
  });
});
