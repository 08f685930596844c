/** The process in a crowd: many connections, slow ones, scrapers, and bodies that nobody asked for. Others are served meanwhile. */
import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { connectRaw, type RawClient } from '../../test/support/raw-client.ts';
import { until } from '../../test/support/until.ts';
import { type AppProcess, median, OBJECTIVE_MS, probe, startProcess, sumOf } from './app-process.ts';

const PROBES = 100;
/** Of 256 MB that the container has, sockets included. */
const MAX_RSS_MB = 200;

let app: AppProcess;
const sockets: Socket[] = [];

beforeAll(async () => {
  app = await startProcess();
}, 60_000);
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(() => app.stop());

async function open(port: number, bytes: string): Promise<RawClient> {
  const client = await connectRaw(port);
  sockets.push(client.socket);
  client.send(bytes);
  return client;
}

const many = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, n) => make(n));
const GET = 'GET /products HTTP/1.1\r\nHost: x\r\n\r\n';

async function othersAreServed(): Promise<void> {
  expect(median(await probe(app, PROBES))).toBeLessThan(OBJECTIVE_MS);
  expect(app.residentMb()).toBeLessThan(MAX_RSS_MB);
}

describe('others are served within the objective', () => {
  it('beside 1,000 connections at once, each of which is answered', async () => {
    const clients = await Promise.all(many(1_000, () => open(app.apiPort, GET)));
    await othersAreServed();
    const isAnswered = ({ text }: RawClient) =>
      text().startsWith('HTTP/1.1 200 ') && text().endsWith('product');
    await until('all 1,000 to be answered', () => clients.every(isAnswered));
    // And once more, on connections that are open already.
    for (const { socket } of clients) socket.write(GET);
    await othersAreServed();
    await until('all 1,000 to be answered again', () =>
      clients.every(({ text }) => text().match(/HTTP\/1\.1 200 /g)?.length === 2),
    );
  }, 90_000);

  it('beside 100 slow clients, which are cut when their time is over', async () => {
    const slowHeaders = await Promise.all(
      many(50, () => open(app.apiPort, 'GET /products HTTP/1.1\r\nHost: x\r\nX: ')),
    );
    const slowBodies = await Promise.all(
      many(50, () => open(app.apiPort, 'POST /cart HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n')),
    );
    const drip = setInterval(() => {
      for (const { socket } of [...slowHeaders, ...slowBodies]) if (socket.writable) socket.write('a');
    }, 100);
    try {
      await othersAreServed();
      // Nobody waits for what nobody reads.
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
  }, 90_000);

  it('beside 200 scrapers at once, on either port', async () => {
    let scraping = true;
    let scrapes = 0;
    const refusals = new Set<string>();
    const scrape = async (port: number) => {
      while (scraping) {
        const text = await app.get(port, '/metrics');
        // Ten at a time on each port; the rest are told so, which costs next to nothing.
        if (text.includes('\ninprogress_requests ')) scrapes++;
        else refusals.add(text);
      }
    };
    const scrapers = many(200, (n) => scrape(n % 2 === 0 ? app.metricsPort : app.apiPort));
    await othersAreServed();
    scraping = false;
    await Promise.all(scrapers);
    expect(scrapes).toBeGreaterThan(50);
    expect([...refusals]).toEqual(['more than 10 scrapes at once\n']);
  }, 90_000);

  it('beside giant bodies that nobody asked for', async () => {
    const chunk = `${(65_536).toString(16)}\r\n${'x'.repeat(65_536)}\r\n`;
    const head = (method: string) =>
      `${method} /cart HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const clients = await Promise.all(many(20, (n) => open(app.apiPort, head(n % 2 ? 'GET' : 'POST'))));
    for (const { socket } of clients) {
      const push = () => setImmediate(() => socket.writable && socket.write(chunk, 'latin1', push));
      push();
    }
    const sentMb = () => clients.reduce((sum, { socket }) => sum + socket.bytesWritten, 0) / 1e6;
    await othersAreServed();
    await until('300 MB to be taken', () => sentMb() > 300);
    await othersAreServed();
    await until('those to be answered', () =>
      clients.every(({ text }) => /^HTTP\/1\.1 20[01] /.test(text())),
    );
  }, 90_000);

  it('and a body of the wrong type, or where none is expected, changes no answer', async () => {
    const ask = async (line: string, header: string, body: string) => {
      const head = ['Host: x', 'Connection: close', `Content-Length: ${body.length}`, header].join('\r\n');
      const client = await open(app.apiPort, `${line} HTTP/1.1\r\n${head}\r\n\r\n${body}`);
      await client.closed();
      const [answer = '', text] = client.text().split('\r\n\r\n');
      return [Number(answer.slice(9, 12)), text];
    };
    const json = 'Content-Type: application/json';
    expect(await ask('GET /products', json, '{"a": 1}')).toEqual([200, 'product']);
    expect(await ask('POST /products', json, '{"a": ')).toEqual([201, 'created product']);
    const image = '\0\xff'.repeat(1_000);
    expect(await ask('POST /cars', 'Content-Type: image/png', image)).toEqual([200, 'Create Car']);
    expect(await ask('DELETE /cars/1', 'Content-Encoding: gzip', 'not gzip')).toEqual([200, 'Deleting Car']);
    expect(await ask('PATCH /cars', json, '[]')).toEqual([405, 'method not allowed']);
    expect(await ask('POST /none', json, '[]')).toEqual([404, 'page not found']);
  });
});

it('each of those requests was counted once, and none is left', async () => {
  for (const socket of sockets) socket.destroy();
  const text = await app.settled();
  expect(sumOf(text, 'http_requests_total', 'path="products",method="get"')).toBe(2_000 + 1);
  expect(sumOf(text, 'http_requests_total')).toBe(
    sumOf(text, 'http_request_duration_seconds_count') -
      sumOf(text, 'http_request_duration_seconds_count', 'path="unmatched"'),
  );
}, 60_000);
