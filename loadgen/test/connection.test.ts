import type { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { until } from '../../test/support/until.ts';
import { Connection } from '../src/http/connection.ts';
import { parseOrigin } from '../src/http/origin.ts';
import { cleanUpClients, createClient, LAST, OK, requestTo, send } from './clients.ts';
import { serveRaw } from './servers.ts';

cleanUpClients();

describe('a connection', () => {
  const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n';

  it.each<[string, string, { method?: string; headers?: Record<string, string> }]>([
    ['after a response', OK, {}],
    ['after a request with another option', OK, { headers: { Connection: 'closed, TE' } }],
    ['after a response that ends with empty lines', `${OK}\r\n`, {}],
    ['after a HEAD, whose response has a length and no body', HEAD, { method: 'HEAD' }],
  ])('is used again %s, and no request is sent twice', async (_, answer, request) => {
    let requests = 0;
    const server = await serveRaw((socket) => {
      requests++;
      socket.write(answer);
    });
    const { client, recorder } = createClient(server.url, request);
    await send(client, 5);
    expect(recorder).toMatchObject({ statuses: [200, 200, 200, 200, 200], failures: [] });
    expect([requests, server.accepted()]).toEqual([5, 1]);
  });

  type Ending = [name: string, act: (socket: Socket) => void, headers: Record<string, string>];
  const write = (answer: string) => (socket: Socket) => void socket.write(answer);
  const requestWith = (value: string): Ending => [
    `a request with Connection: ${value}`,
    write(OK),
    { CONNECTION: value },
  ];
  it.each<Ending>([
    ...['close', 'Close', 'keep-alive, CLOSE', 'close , te'].map(requestWith),
    ['a response with Connection: close', write(LAST), {}],
    ['a response followed by other bytes', write(`${OK}HTTP/1.1`), {}],
    ['a body that ends with the connection', (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nbody'), {}],
  ])('is closed, and not used again, after %s, which is counted', async (_, act, headers) => {
    const server = await serveRaw(act);
    const { client, recorder } = createClient(server.url, { headers });
    await send(client, 3);
    expect(recorder).toMatchObject({ statuses: [200, 200, 200], failures: [] });
    expect(server.accepted()).toBe(3);
    await until('the client has closed all', () => server.sockets.size === 0);
  });

  it('is closed if the server sends unsolicited data', async () => {
    const server = await serveRaw((socket) => socket.write(OK));
    const { client } = createClient(server.url);
    await send(client);
    for (const socket of server.sockets) socket.write('HTTP/1.1 408 Request Timeout\r\n\r\n');
    await until('the client has closed', () => server.sockets.size === 0);
  });
});

describe('an idle connection', () => {
  const answerWith = (seconds?: number) =>
    OK.replace(
      'Keep-Alive: timeout=600\r\n',
      seconds === undefined ? '' : `Keep-Alive: timeout=${seconds}\r\n`,
    );

  it.each([
    [undefined, 4000],
    [0, 100],
    [1, 500],
    [2, 1000],
    [5, 4000],
  ])('that its server keeps for %p s is closed after %i ms', async (seconds, idleMs) => {
    const server = await serveRaw((socket) => socket.write(answerWith(seconds)));
    const origin = parseOrigin(server.url);
    const ended = Promise.withResolvers<void>();
    const listener = { answered: () => ended.resolve(), failed: () => ended.reject(), closed: () => {} };
    const connection = new Connection(origin, '127.0.0.1', listener);
    connection.send(requestTo(origin), 0);
    await ended.promise;
    connection.idleSinceMs = 10_000;
    expect([idleMs - 1, idleMs].map((ms) => connection.isUsable(10_000 + ms))).toEqual([true, false]);
    connection.close();
  });

  it('that its server has closed is replaced without losing a request, and its bytes are counted', async () => {
    const server = await serveRaw((socket) => socket.end(OK));
    const { client, recorder } = createClient(server.url);
    for (let n = 0; n < 3; n++) {
      await send(client);
      await until('the connection is closed', () => server.sockets.size === 0);
    }
    const request = `GET /x HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nUser-Agent: exact-load\r\n\r\n`;
    expect(recorder).toMatchObject({ statuses: [200, 200, 200], failures: [] });
    expect([client.bytesWritten, client.bytesRead]).toEqual([3 * request.length, 3 * OK.length]);
  });
});
