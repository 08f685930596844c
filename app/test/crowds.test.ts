/** Many connections, clients that never read, slow clients, scrapers and large bodies must not affect other clients. */
import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { sumOf } from '../../test/support/exposition.ts';
import { connectRaw, type RawClient } from '../../test/support/raw-client.ts';
import { until } from '../../test/support/until.ts';
import { type AppProcess, startProcess } from './app-process.ts';

/** Of the container's 256 MB, which include sockets. */
const MAX_RSS_MB = 200;
const GREEDY_CLIENTS = 200;

let app: AppProcess;
let probes = 0;
const sockets: Socket[] = [];

beforeAll(async () => {
  app = await startProcess();
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(() => app.kill());

async function open(port: number, bytes: string): Promise<RawClient> {
  const client = await connectRaw(port);
  sockets.push(client.socket);
  client.send(bytes);
  return client;
}

const many = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, n) => make(n));
const GET = 'GET /products HTTP/1.1\r\nHost: x\r\n\r\n';

async function otherClientsAreServed(count = 100): Promise<void> {
  await app.probe(count);
  probes += count;
  expect(app.residentMb()).toBeLessThan(MAX_RSS_MB);
}

/** Sends requests as long as the server reads them, and reads no response. */
async function sendOnly(port: number, url: string): Promise<void> {
  const { socket } = await open(port, '');
  const requests = `GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(1_500);
  const push = () => setImmediate(() => socket.writable && socket.write(requests, 'latin1'));
  socket.pause().on('drain', push);
  push();
}

describe('the service keeps serving other clients', () => {
  it('during 200 clients that pipeline requests and never read a response, on either port', async () => {
    await Promise.all(many(GREEDY_CLIENTS, () => sendOnly(app.apiPort, '/cars')));
    await Promise.all(many(20, () => sendOnly(app.metricsPort, '/metrics')));
    for (let n = 0; n < 10; n++) {
      await otherClientsAreServed(20);
      expect(await app.get(app.metricsPort, '/healthz')).toBe('ok\n');
      expect(app.residentMb()).toBeLessThan(160);
    }
  });

  it('during 1,000 simultaneous connections, all of which get a response', async () => {
    const clients: RawClient[] = [];
    // In batches, because the kernel holds at most 511 connections that a busy process has not accepted.
    while (clients.length < 1_000)
      clients.push(...(await Promise.all(many(100, () => open(app.apiPort, GET)))));
    await otherClientsAreServed();
    const isAnswered = ({ text }: RawClient) =>
      text().startsWith('HTTP/1.1 200 ') && text().endsWith('product');
    await until('all 1,000 to be answered', () => clients.every(isAnswered));
    // Again, on the open connections.
    for (const { socket } of clients) socket.write(GET);
    await otherClientsAreServed();
    await until('all 1,000 to be answered again', () =>
      clients.every(({ text }) => text().match(/HTTP\/1\.1 200 /g)?.length === 2),
    );
  });

  it('during 100 slow clients, which are disconnected after a timeout', async () => {
    const slowHeaders = await Promise.all(
      many(50, () => open(app.apiPort, 'GET /products HTTP/1.1\r\nHost: x\r\nX: ')),
    );
    const slowBodies = await Promise.all(
      many(50, () => open(app.apiPort, 'POST /cart HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n')),
    );
    const write = () => {
      for (const { socket } of [...slowHeaders, ...slowBodies]) if (socket.writable) socket.write('a');
    };
    // Reads first: a write to a connection that the server has closed would discard its response.
    const drip = setInterval(() => setImmediate(write), 100);
    try {
      await otherClientsAreServed();
      // The response does not wait for an unread body.
      await until('the slow bodies to be answered', () =>
        slowBodies.every(({ text }) => text().startsWith('HTTP/1.1 201 ')),
      );
      await until('the slow headers to be cut', () => slowHeaders.every(({ socket }) => socket.destroyed));
      expect(slowHeaders.map(({ text }) => text().split('\r\n')[0])).toEqual(
        many(50, () => 'HTTP/1.1 408 Request Timeout'),
      );
    } finally {
      clearInterval(drip);
    }
  });

  it('during 200 simultaneous scrapers, on either port', async () => {
    let scraping = true;
    let scrapes = 0;
    const refusals = new Set<string>();
    const scrape = async (port: number) => {
      while (scraping) {
        const text = await app.get(port, '/metrics');
        // Ten at a time on each port; refusing the rest costs next to nothing.
        if (text.includes('\ninprogress_requests ')) scrapes++;
        else refusals.add(text);
      }
    };
    const scrapers = many(200, (n) => scrape(n % 2 === 0 ? app.metricsPort : app.apiPort));
    await otherClientsAreServed();
    await until('scrapes that are served and refused', () => scrapes > 50 && refusals.size > 0);
    scraping = false;
    await Promise.all(scrapers);
    expect([...refusals]).toEqual(['more than 10 scrapes at once\n']);
  });

  it('during giant bodies that no route expects', async () => {
    const chunk = `${(65_536).toString(16)}\r\n${'x'.repeat(65_536)}\r\n`;
    const head = (method: string) =>
      `${method} /cart HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const clients = await Promise.all(many(20, (n) => open(app.apiPort, head(n % 2 ? 'GET' : 'POST'))));
    for (const { socket } of clients) {
      const push = () => setImmediate(() => socket.writable && socket.write(chunk, 'latin1', push));
      push();
    }
    const sentMb = () => clients.reduce((sum, { socket }) => sum + socket.bytesWritten, 0) / 1e6;
    await otherClientsAreServed();
    await until('300 MB to be sent', () => sentMb() > 300);
    await otherClientsAreServed();
    await until('those to be answered', () =>
      clients.every(({ text }) => /^HTTP\/1\.1 20[01] /.test(text())),
    );
  });
});

it('counts each of those requests once, with none left in progress', async () => {
  for (const socket of sockets) socket.destroy();
  const text = await app.inProgress(0);
  expect(sumOf(text, 'http_requests_total', 'path="products",method="get"')).toBe(2_000);
  expect(sumOf(text, 'http_requests_total', 'path="cart",method="get"')).toBe(probes + 10);
  expect(sumOf(text, 'http_requests_total', 'path="cars",method="get"')).toBeGreaterThan(GREEDY_CLIENTS);
  expect(sumOf(text, 'http_requests_total')).toBe(
    sumOf(text, 'http_request_duration_seconds_count') -
      sumOf(text, 'http_request_duration_seconds_count', 'path="unmatched"'),
  );
});
