import { createServer as createTlsServer } from 'node:https';
import { createServer, type Socket } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { certificate, privateKey } from '../../test/support/certificate.ts';
import { UsageError } from '../src/common/errors.ts';
import type { FailureKind, Recorder } from '../src/common/result.ts';
import { Addresses, waitForTarget } from '../src/http/addresses.ts';
import { HttpClient } from '../src/http/client.ts';
import { Connection } from '../src/http/connection.ts';
import { parseOrigin } from '../src/http/origin.ts';
import { encodeRequest } from '../src/http/request.ts';
import { closedPort, listen, serveHttp, serveRaw, type TestServer, until } from './servers.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const LAST = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok';

class Results implements Recorder {
  readonly statuses: number[] = [];
  readonly failures: { kind: FailureKind; wasSent: boolean }[] = [];
  drops = 0;

  recordAnswer(_target: number, status: number): void {
    this.statuses.push(status);
  }

  recordFailure(_target: number, kind: FailureKind, _intendedMs: number, sentMs: number): void {
    this.failures.push({ kind, wasSent: !Number.isNaN(sentMs) });
  }

  recordDrop(): void {
    this.drops++;
  }
}

const open: { servers: TestServer[]; clients: HttpClient[] } = { servers: [], clients: [] };

afterEach(async () => {
  for (const client of open.clients.splice(0)) client.close();
  for (const server of open.servers.splice(0)) await server.stop();
});

async function serve(starting: Promise<TestServer>): Promise<TestServer> {
  const server = await starting;
  open.servers.push(server);
  return server;
}

/** A server that says the same on every request. */
const answering = (answer: string) => serve(serveRaw((socket) => socket.write(answer)));

async function serveCounting(answer: string) {
  const counted = { connections: 0 };
  const accept = (socket: Socket) => {
    counted.connections++;
    socket.on('data', () => socket.write(answer));
  };
  return { counted, server: await serve(listen(createServer(accept))) };
}

function createClient(
  url: string,
  { connections = 1, timeoutMs = 5000, addresses = ['127.0.0.1'], method = 'GET', headers = {} } = {},
) {
  const origin = parseOrigin(url);
  const recorder = new Results();
  const request = encodeRequest(origin, { method, path: '/x', headers, body: undefined });
  const client = new HttpClient({
    origin,
    addresses: new Addresses(origin, addresses),
    requests: [request],
    connections,
    timeoutMs,
    recorder,
  });
  open.clients.push(client);
  return { client, recorder };
}

/** Sends requests, one after the other. */
async function send(client: HttpClient, times = 1): Promise<void> {
  for (let n = 0; n < times; n++) {
    expect(client.start(0, performance.now())).toBe(true);
    await until('the request has ended', () => client.inFlight === 0);
  }
}

describe('bad weather', () => {
  it.each<[string, (socket: Socket) => void, FailureKind]>([
    ['resets', (socket) => socket.resetAndDestroy(), 'reset'],
    ['closes without an answer', (socket) => socket.end(), 'reset'],
    [
      'closes in the middle of a body',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok'),
      'reset',
    ],
    ['sends garbage', (socket) => socket.write('\0\x01\x02garbage'), 'protocol'],
    ['sends half a head and no more', (socket) => socket.write('HTTP/1.1 200 O'), 'timeout'],
    ['never answers', () => {}, 'timeout'],
    [
      'announces an endless body',
      (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n'),
      'too-large',
    ],
  ])('a server that %s is told by its kind, as sent', async (_, act, kind) => {
    const server = await serve(serveRaw(act));
    const { client, recorder } = createClient(server.url, { timeoutMs: 200 });
    await send(client);
    expect(recorder).toMatchObject({ statuses: [], failures: [{ kind, wasSent: true }] });
    await until('the connection is closed', () => server.sockets.size === 0);
  });

  it('a body that never ends is cut off by the timeout', async () => {
    const server = await serve(
      serveHttp((_request, response) => {
        const timer = setInterval(() => response.write('x'.repeat(1000)), 5);
        response.once('close', () => clearInterval(timer));
      }),
    );
    const { client, recorder } = createClient(server.url, { timeoutMs: 200 });
    await send(client);
    expect(recorder.failures).toEqual([{ kind: 'timeout', wasSent: true }]);
  });

  it('nothing listening is told as refused, and as not sent', async () => {
    const { client, recorder } = createClient(`http://127.0.0.1:${await closedPort()}`);
    await send(client);
    expect(recorder.failures).toEqual([{ kind: 'refused', wasSent: false }]);
  });

  it('goes on after a failure with a new connection', async () => {
    let requests = 0;
    const server = await serve(
      serveRaw((socket) => (++requests === 1 ? socket.resetAndDestroy() : socket.write(OK))),
    );
    const { client, recorder } = createClient(server.url);
    await send(client, 2);
    expect(recorder).toMatchObject({ statuses: [200], failures: [{ kind: 'reset' }] });
  });
});

describe('several addresses', () => {
  it('take each other’s requests where one refuses, and it is told how many', async () => {
    const server = await answering(OK);
    const { client, recorder } = createClient(server.url, {
      addresses: ['127.0.0.2', '127.0.0.3', '127.0.0.1'],
    });
    await send(client, 3);
    expect(recorder).toMatchObject({ statuses: [200, 200, 200], failures: [] });
    expect(client.rerouted).toBe(2);
  });

  it('fail as refused when the last one refuses', async () => {
    const url = `http://127.0.0.1:${await closedPort()}`;
    const { client, recorder } = createClient(url, { addresses: ['127.0.0.1', '127.0.0.2'] });
    await send(client);
    expect(recorder.failures).toEqual([{ kind: 'refused', wasSent: false }]);
    expect(client.rerouted).toBe(1);
  });

  it('never get a request that has left for another', async () => {
    let requests = 0;
    const server = await serve(
      serveRaw((socket) => {
        requests++;
        socket.resetAndDestroy();
      }),
    );
    const { client, recorder } = createClient(server.url, { addresses: ['127.0.0.1', '127.0.0.2'] });
    await send(client);
    expect([requests, recorder.failures]).toEqual([1, [{ kind: 'reset', wasSent: true }]]);
  });

  /** Two addresses with one server each in `answer`: it gets the address and the number of the request on its connection. */
  async function serveTwo(answer: (address: string, nth: number) => string) {
    const served: string[] = [];
    const accept = (socket: Socket) => {
      const { localAddress = '' } = socket;
      let nth = 0;
      socket.on('data', () => {
        served.push(localAddress.slice(-1));
        socket.write(answer(localAddress, ++nth));
      });
    };
    const server = await serve(listen(createServer(accept), 'http', '0.0.0.0'));
    const { client, recorder } = createClient(server.url, { addresses: ['127.0.0.2', '127.0.0.1'] });
    return { served, client, recorder };
  }

  it('are left when they drain, as long as there are others', async () => {
    let isDraining = false;
    const { served, client, recorder } = await serveTwo((address) =>
      isDraining && address === '127.0.0.2' ? LAST : OK,
    );
    await send(client, 2);
    isDraining = true;
    await send(client, 8);
    // The kept connection and a new one get an answer each with Connection: close.
    expect(served.join('')).toBe('2121211111');
    expect(recorder.statuses).toHaveLength(10);
  });

  it('are not left when they limit the requests per connection', async () => {
    const { served, client, recorder } = await serveTwo((address, nth) =>
      address === '127.0.0.2' && nth === 2 ? LAST : OK,
    );
    await send(client, 12);
    expect([served.join(''), recorder.failures]).toEqual(['212121212121', []]);
  });

  it('are not left when they have never kept a connection', async () => {
    const { served, client } = await serveTwo((address) => (address === '127.0.0.2' ? LAST : OK));
    await send(client, 6);
    expect(served.join('')).toBe('212121');
  });
});

describe('a connection', () => {
  it('is used again, and no request is sent twice', async () => {
    const seen: string[] = [];
    const server = await serve(
      serveRaw((socket, text) => {
        seen.push(text);
        socket.write(OK);
      }),
    );
    const { client, recorder } = createClient(server.url);
    await send(client, 5);
    expect(recorder.statuses).toEqual([200, 200, 200, 200, 200]);
    expect(seen).toHaveLength(5);
    expect(server.sockets.size).toBe(1);
  });

  it('that the server closed while idle is replaced without losing a request', async () => {
    const server = await serve(serveRaw((socket) => socket.end(OK)));
    const { client, recorder } = createClient(server.url);
    for (let n = 0; n < 3; n++) {
      await send(client);
      await until('the connection is closed', () => server.sockets.size === 0);
    }
    expect(recorder).toMatchObject({ statuses: [200, 200, 200], failures: [] });
  });

  it.each([0, 1, 5])(
    'is used again at once where the server promises to keep it for %i s',
    async (seconds) => {
      const answer = `HTTP/1.1 200 OK\r\nKeep-Alive: timeout=${seconds}\r\nContent-Length: 0\r\n\r\n`;
      const { counted, server } = await serveCounting(answer);
      const { client, recorder } = createClient(server.url);
      // Each request is sent in the moment in which the one before is answered.
      let left = 20;
      client.onFree = () => void (--left > 0 && client.start(0, performance.now()));
      client.start(0, performance.now());
      await until('all are answered', () => left === 0);
      expect([recorder.statuses.length, recorder.failures, counted.connections]).toEqual([20, [], 1]);
    },
  );

  it.each([
    [undefined, 4000],
    [0, 100],
    [1, 500],
    [2, 1000],
    [5, 4000],
  ])('whose server promises to keep it for %p s is given up when idle for %i ms', async (seconds, idleMs) => {
    const promise = seconds === undefined ? '' : `Keep-Alive: timeout=${seconds}\r\n`;
    const answer = `HTTP/1.1 200 OK\r\n${promise}Content-Length: 0\r\n\r\n`;
    const server = await answering(answer);
    const origin = parseOrigin(server.url);
    const ended = Promise.withResolvers<void>();
    const listener = { answered: () => ended.resolve(), failed: () => ended.reject(), closed: () => {} };
    const connection = new Connection(origin, '127.0.0.1', listener);
    const request = { method: 'GET', path: '/', headers: {}, body: undefined };
    connection.send(encodeRequest(origin, request), 0);
    await ended.promise;
    connection.idleSinceMs = 10_000;
    expect([idleMs - 1, idleMs].map((ms) => connection.isUsable(10_000 + ms))).toEqual([true, false]);
    connection.close();
  });

  it.each(['close', 'Close', 'keep-alive, CLOSE', 'close , te'])(
    'is not used again after a request with Connection: %s',
    async (value) => {
      const { counted, server } = await serveCounting(OK);
      const { client, recorder } = createClient(server.url, { headers: { CONNECTION: value } });
      await send(client, 3);
      expect([recorder.statuses, counted.connections]).toEqual([[200, 200, 200], 3]);
      await until('the client has closed all', () => server.sockets.size === 0);
    },
  );

  it('is used again after a request with another option, and after an answer that ends with empty lines', async () => {
    const server = await answering(`${OK}\r\n`);
    const { client, recorder } = createClient(server.url, { headers: { Connection: 'closed, TE' } });
    await send(client, 5);
    expect([recorder.statuses, recorder.failures]).toEqual([[200, 200, 200, 200, 200], []]);
    expect(server.sockets.size).toBe(1);
  });

  it('is closed after an answer with other bytes behind it, and the answer counts', async () => {
    const server = await answering(`${OK}HTTP/1.1`);
    const { client, recorder } = createClient(server.url);
    await send(client, 3);
    expect([recorder.statuses, recorder.failures]).toEqual([[200, 200, 200], []]);
    await until('the client has closed all', () => server.sockets.size === 0);
  });

  it('is not used again after Connection: close, nor after a body that ends with the connection', async () => {
    for (const answer of [
      'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
      'HTTP/1.1 200 OK\r\n\r\nbody',
    ]) {
      const server = await serve(
        serveRaw((socket) => (answer.endsWith('body') ? socket.end(answer) : socket.write(answer))),
      );
      const { client, recorder } = createClient(server.url);
      await send(client, 2);
      expect(recorder).toMatchObject({ statuses: [200, 200], failures: [] });
    }
  });

  it('is closed when the server says something unasked', async () => {
    const server = await answering(OK);
    const { client } = createClient(server.url);
    await send(client);
    for (const socket of server.sockets) socket.write('HTTP/1.1 408 Request Timeout\r\n\r\n');
    await until('the client has closed', () => server.sockets.size === 0);
  });

  it('takes a HEAD answer with a length and no body', async () => {
    const server = await serve(
      serveHttp((_request, response) => response.setHeader('Content-Length', 5).end()),
    );
    const { client, recorder } = createClient(server.url, { method: 'HEAD' });
    await send(client, 2);
    expect(recorder.statuses).toEqual([200, 200]);
  });
});

describe('the client', () => {
  it('has no more in flight than its connections', async () => {
    const server = await serve(serveRaw(() => {}));
    const { client } = createClient(server.url, { connections: 2 });
    expect([client.start(0, 0), client.start(0, 0), client.start(0, 0)]).toEqual([true, true, false]);
    expect(client.inFlight).toBe(2);
  });

  it('counts the bytes of all its connections, closed ones included', async () => {
    const request = 'GET /x HTTP/1.1\r\nHost: 127.0.0.1:12345\r\nUser-Agent: loadgen\r\n\r\n';
    const server = await serve(serveRaw((socket) => socket.end(OK)));
    const { client } = createClient(server.url);
    for (let n = 0; n < 3; n++) {
      await send(client);
      // Else the next request may cross the server's close, and gets no answer.
      await until('the connection is closed on both sides', () => server.sockets.size === 0);
    }
    const portDigits = String(server.port).length;
    expect(client.bytesWritten).toBe(3 * (request.length - 5 + portDigits));
    expect(client.bytesRead).toBe(3 * OK.length);
  });

  it('leaves no connection behind when it is closed', async () => {
    const server = await serve(serveRaw(() => {}));
    const { client, recorder } = createClient(server.url, { connections: 3 });
    for (let n = 0; n < 3; n++) client.start(0, 0);
    await until('all are connected', () => server.sockets.size === 3);
    client.close();
    await until('none is connected', () => server.sockets.size === 0);
    expect(recorder.failures.map(({ kind }) => kind)).toEqual(['reset', 'reset', 'reset']);
  });

  it('gives each address of a name an equal share, one request after the other', async () => {
    const seen: (string | undefined)[] = [];
    const answer = (socket: Socket) => {
      seen.push(socket.localAddress);
      socket.write(OK);
    };
    const raw = createServer((socket) => socket.on('data', () => answer(socket)));
    const server = await serve(listen(raw, 'http', '0.0.0.0'));
    const addresses = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];
    const { client } = createClient(`http://localhost:${server.port}`, { addresses });
    await send(client, 6);
    expect(seen).toEqual([...addresses, ...addresses]);
    expect(server.sockets.size).toBe(3);
  });
});

describe('TLS', () => {
  const trusted = getCACertificates('default');
  afterEach(() => setDefaultCACertificates(trusted));
  const serveTls = async () =>
    serve(
      listen(
        createTlsServer({ key: privateKey, cert: certificate }, (_, response) => response.end('ok')),
        'https',
      ),
    );

  it('works, kept alive, where the certificate is trusted', async () => {
    setDefaultCACertificates([certificate]);
    const server = await serveTls();
    const { client, recorder } = createClient(server.url);
    await send(client, 3);
    expect(recorder).toMatchObject({ statuses: [200, 200, 200], failures: [] });
    expect(server.sockets.size).toBe(1);
  });

  it('fails as tls, and as not sent, where it is not', async () => {
    const server = await serveTls();
    const { client, recorder } = createClient(server.url);
    await send(client);
    expect(recorder.failures).toEqual([{ kind: 'tls', wasSent: false }]);
  });

  it('fails as tls against a server that speaks none', async () => {
    const server = await serve(serveHttp((_, response) => response.end('ok')));
    const { client, recorder } = createClient(server.url.replace('http:', 'https:'));
    await send(client);
    expect(recorder.failures).toEqual([{ kind: 'tls', wasSent: false }]);
  });
});

describe('the target', () => {
  const never = new AbortController().signal;
  const wait = (url: string, waitMs: number) => waitForTarget(parseOrigin(url), waitMs, () => {}, never);

  it('is waited for without sending it anything', async () => {
    const received: string[] = [];
    const server = await serve(serveRaw((_, text) => received.push(text)));
    const addresses = await wait(`http://localhost:${server.port}`, 5000);
    // Only those addresses of the name are kept on which it listens.
    expect([addresses.next(0), addresses.next(0)]).toEqual(['127.0.0.1', '127.0.0.1']);
    expect(received).toEqual([]);
  });

  it.each([
    [
      'nothing listens',
      async () => `http://127.0.0.1:${await closedPort()}`,
      /did not accept a connection within 0.1 s: .*ECONNREFUSED/,
    ],
    [
      'the name is unknown',
      async () => 'http://no-such-host.invalid',
      /no-such-host\.invalid did not accept.*(ENOTFOUND|EAI_AGAIN)/,
    ],
  ])('is said to be away when %s', async (_, url, message) => {
    await expect(wait(await url(), 100)).rejects.toThrow(message);
  });

  it('is looked up again after a failed connect, at most once a second', async () => {
    const server = await serve(serveRaw(() => {}));
    const addresses = new Addresses(parseOrigin(`http://localhost:${server.port}`), ['127.0.0.9']);
    expect(addresses.next(0)).toBe('127.0.0.9');
    await addresses.refresh(500);
    expect(addresses.next(500)).toBe('127.0.0.9');
    await addresses.refresh(5000);
    expect(addresses.next(5000)).toBe('127.0.0.1');
    await server.stop();
    await addresses.refresh(9000);
    expect(addresses.next(9000)).toBe('127.0.0.1');
  });

  it('has addresses that are left, and taken again when there are no others', () => {
    const addresses = new Addresses(parseOrigin('http://shop.example'), ['a', 'b', 'c']);
    addresses.leave('a', 0);
    addresses.leave('b', 0);
    expect([addresses.next(1), addresses.next(1)]).toEqual(['c', 'c']);
    addresses.leave('c', 1);
    expect(new Set([addresses.next(2), addresses.next(2)])).toEqual(new Set(['a', 'b']));
    expect([addresses.remove('a', 3), addresses.remove('b', 3), addresses.next(3)]).toEqual([
      true,
      true,
      'c',
    ]);
  });

  it('is looked up again now and then while it is used', async () => {
    const server = await serve(serveRaw(() => {}));
    const addresses = new Addresses(parseOrigin(`http://localhost:${server.port}`), ['127.0.0.9']);
    expect(addresses.next(0)).toBe('127.0.0.9');
    addresses.next(4_999);
    addresses.next(5_001);
    await until('the new address', () => addresses.next(5_001) === '127.0.0.1');
  });

  const NO_URL = 'a URL of http or https, such as http://localhost:5001';
  const NO_USER = 'no user or password (a pattern file can set headers)';
  const NO_HOST = 'a host, and a port from 1 to 65535';
  it.each([
    ['localhost:5001', NO_URL],
    ['ftp://x', NO_URL],
    ['http:///x', NO_URL],
    ['http:x', NO_URL],
    ['http://x\ty', NO_URL],
    ['http://x/a b', NO_URL],
    [' http://x', NO_URL],
    ['http:\\\\x', NO_URL],
    ['', NO_URL],
    ['http://user:pass@x', NO_USER, 'http://***@x'],
    ['http://user:pass@x:99999', NO_USER, 'http://***@x:99999'],
    ['http://@x', NO_USER, '***@x'],
    ['http://x/?a=b', 'no query and no fragment'],
    ['http://x/a#', 'no query and no fragment'],
    ['http://x:0', NO_HOST],
    ['https://x:00/', NO_HOST],
    ['http://x:65536', NO_HOST],
    ['http://[::1', NO_HOST],
  ])('cannot be %p', (url, expected, shown = url) => {
    const message = `--target: expected ${expected}, got ${JSON.stringify(shown)}`;
    expect(() => parseOrigin(url)).toThrow(new UsageError(message));
  });

  it('may have a path in front of every path, and any port', () => {
    const request = { method: 'POST', path: '/cart', headers: { Accept: '*/*' }, body: 'é' };
    expect(encodeRequest(parseOrigin('https://shop.example/api/'), request).bytes.toString()).toBe(
      'POST /api/cart HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: loadgen\r\nAccept: */*\r\nContent-Length: 2\r\n\r\né',
    );
    expect(parseOrigin('http://[::1]:8080')).toMatchObject({
      hostname: '::1',
      port: 8080,
      host: '[::1]:8080',
    });
  });
});
