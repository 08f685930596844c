/** Servers whose clients do not take their answers. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import express from 'express';
import { certificate, privateKey } from '../../testing/certificate.ts';
import { connectRaw, type RawClient } from '../../testing/raw-client.ts';
import { DEADLINE_MS, until } from '../../testing/until.ts';
import { instrument, type ProtectOptions, protect } from '../src/index.ts';
import { serve, sum, type TestApp } from './harness.ts';

jest.setTimeout(3 * DEADLINE_MS);

let server: Server | undefined;
let app: TestApp | undefined;
afterEach(async () => {
  await app?.close();
  server?.closeAllConnections();
  if (server?.listening) await promisify(server.close.bind(server))();
  app = undefined;
  server = undefined;
});

async function start(listener: RequestListener, options?: ProtectOptions): Promise<number> {
  server = createServer(listener);
  protect(server, options);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** A handler that answers, in the order of arrival, when it is let to; the answer is the path. */
function createGate() {
  const arrived: (() => void)[] = [];
  let most = 0;
  let inProgress = 0;
  const listener: RequestListener = (request, response) => {
    most = Math.max(most, ++inProgress);
    arrived.push(() => {
      inProgress--;
      response.end(request.url);
    });
  };
  const forget = () => {
    most = 0;
  };
  return { arrived, listener, most: () => most, forget };
}

/** A client that pipelines more than it may: from then on every connection is guarded. */
async function beRude(port: number, gate: ReturnType<typeof createGate>, requests: number): Promise<void> {
  const client = await connectRaw(port);
  client.send(many(requests));
  await until('the rude requests', () => gate.arrived.length === requests);
  for (const answer of gate.arrived.splice(0)) answer();
  await client.responses(requests);
  client.socket.destroy();
  gate.forget();
}

const get = (path: string | number) => `GET /${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
const many = (count: number) => Array.from({ length: count }, (_, i) => get(i)).join('');
const bodies = (client: RawClient) =>
  [...client.text().matchAll(/\r\n\r\n(?:\w+\r\n)?\/(\d+)/g)].map(([, path]) => path);

describe('a protected server', () => {
  it('lets so many requests of a connection be unanswered at once, and answers all in the end', async () => {
    const gate = createGate();
    const port = await start(gate.listener, { maxUnanswered: 5 });
    await beRude(port, gate, 6);
    const client = await connectRaw(port);
    client.send(many(300));
    for (let answered = 0; answered < 300; answered++) {
      await until('the next request', () => gate.arrived.length > answered);
      gate.arrived[answered]?.();
    }
    await client.responses(300);
    expect(bodies(client)).toEqual(Array.from({ length: 300 }, (_, i) => String(i)));
    expect(gate.most()).toBe(5);
  });

  it('lets each connection have one, when all together have too many', async () => {
    const gate = createGate();
    const port = await start(gate.listener, { maxUnanswered: 32, maxUnansweredInAll: 3 });
    await beRude(port, gate, 33);
    const first = await connectRaw(port);
    first.send(many(50));
    await until('4 requests of the first', () => gate.arrived.length === 4);
    const others = [await connectRaw(port), await connectRaw(port)];
    for (const other of others) other.send(many(50));
    await until('one of each other', () => gate.arrived.length === 6);
    for (let answered = 0; answered < 150; answered++) {
      await until('the next request', () => gate.arrived.length > answered);
      gate.arrived[answered]?.();
    }
    for (const client of [first, ...others]) expect(await client.responses(50)).toHaveLength(50);
    expect(gate.most()).toBe(6);
  });

  it('answers others while a client pipelines', async () => {
    let handled = 0;
    const port = await start((request, response) => {
      handled++;
      response.end(request.url);
    });
    const [first, rude, other] = [await connectRaw(port), await connectRaw(port), await connectRaw(port)];
    first.send(many(40));
    await first.responses(40);
    handled = 0;
    rude.send(many(2_000));
    await until('its first request', () => handled > 0);
    other.send(get(7));
    await other.responses(1);
    expect(handled).toBeLessThan(1_000);
    expect(await rude.responses(2_000)).toHaveLength(2_000);
  });

  it('reads bodies to their end, whatever they contain and however many requests are before them', async () => {
    const body = `\r\n\r\n${'x'.repeat(200_000)}\r\n\r\n`;
    const port = await start(
      (request, response) => {
        let length = 0;
        request.on('data', (data: Buffer) => {
          length += data.length;
        });
        request.on('end', () => response.end(`/${length}`));
      },
      { maxUnanswered: 1 },
    );
    const rude = await connectRaw(port);
    rude.send(many(2));
    await rude.responses(2);
    const client = await connectRaw(port);
    const post = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    client.send(get(1) + post + get(2) + post);
    await client.responses(4);
    expect(bodies(client)).toEqual(['0', String(body.length), '0', String(body.length)]);
  });

  it.each([
    ['a head in pieces', ['GET /1 HTTP/1.1\r', '\nHost: x\r\n\r', '\n'], 1],
    ['two heads that meet in a piece', ['GET /1 HTTP/1.1\r\nHost: x\r\n\r', `\n${get(2)}`], 2],
  ])('reads %s', async (_name, pieces, requests) => {
    const port = await start((request, response) => void response.end(request.url));
    const client = await connectRaw(port);
    for (const piece of pieces) {
      const before = client.socket.bytesWritten;
      client.send(piece);
      await until('the piece to leave', () => client.socket.bytesWritten > before);
    }
    expect(await client.responses(requests)).toHaveLength(requests);
  });

  it('refuses what is not HTTP as before', async () => {
    const port = await start((request, response) => void response.end(request.url));
    const client = await connectRaw(port);
    client.send(`${get(1)}nonsense\r\n\r\n${get(2)}`);
    await client.closed();
    expect(client.text()).not.toContain('/2');
  });

  it('counts each request of a client that never reads, and forgets it when it goes', async () => {
    const express_ = express();
    const metrics = instrument(express_, { defaultMetrics: false });
    let handled = 0;
    express_.get('/large', (_request, response) => {
      handled++;
      response.send('x'.repeat(100_000));
    });
    const own = createServer(express_);
    protect(own, { always: true });
    app = await serve(own, metrics);
    const client = await connectRaw(app.port);
    client.socket.pause();
    client.send('GET /large HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2_000));
    let before = -1;
    await until('the server to wait for the client', async () => {
      const isStill = handled === before && handled > 0;
      before = handled;
      await app?.scrape();
      await app?.scrape();
      return isStill;
    });
    expect(handled).toBeLessThan(500);
    client.socket.destroy();
    const { durations, errors, inProgress } = await app.settled(handled);
    expect([sum(durations), inProgress]).toEqual([handled, 0]);
    expect(errors['499']).toBeGreaterThan(0);
  });

  it('cuts a client that takes nothing of its answer, and leaves alone one whose answer takes long', async () => {
    const answers: (() => void)[] = [];
    const port = await start(
      (request, response) => {
        if (request.url === '/1') response.end(Buffer.alloc(50_000_000));
        else answers.push(() => response.end('done'));
      },
      { answerTimeoutMs: 100 },
    );
    const [rude, patient] = [await connectRaw(port), await connectRaw(port)];
    patient.send(get(2));
    await until('the patient one', () => answers.length === 1);
    rude.socket.pause();
    let isCut = false;
    server?.on('request', (_request, response) =>
      response.once('close', () => {
        isCut = true;
      }),
    );
    rude.send(get(1));
    await until('the rude one to be cut', () => isCut);
    answers[0]?.();
    expect(await patient.responses(1)).toEqual(['200']);
  });

  it('leaves connections alone that may be upgraded', async () => {
    const port = await start((request, response) => void response.end(request.url));
    server?.on('upgrade', (_request, socket, head) => {
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n\r\n${head}`);
      socket.on('data', (data: Buffer) => socket.write(data)).on('end', () => socket.end());
    });
    const client = await connectRaw(port);
    client.send('GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\none');
    await until('the head', () => client.text().endsWith('one'));
    client.send('two');
    await until('the rest', () => client.text().endsWith('onetwo'));
    client.socket.end();
    await client.closed();
  });

  it('protects TLS as well', async () => {
    const gate = createGate();
    server = createTlsServer({ cert: certificate, key: privateKey }, gate.listener);
    protect(server, { maxUnanswered: 2 });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const client = connectTls({
      port: (server.address() as AddressInfo).port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
    });
    let text = '';
    client.setEncoding('latin1').on('data', (data: string) => {
      text += data;
    });
    // The first connection is read as Node does until it has shown how it is.
    client.write(many(3));
    await until('the first requests', () => gate.arrived.length === 3);
    for (const answer of gate.arrived.splice(0)) answer();
    await until('their answers', () => text.includes('/2'));
    gate.forget();
    client.write(many(20));
    for (let answered = 0; answered < 20; answered++) {
      await until('the next request', () => gate.arrived.length > answered);
      gate.arrived[answered]?.();
    }
    await until('the last answer', () => text.includes('/19'));
    expect(gate.most()).toBe(2);
    client.destroy();
  });

  it.each([
    ['maxUnanswered', 0],
    ['maxUnansweredInAll', 1.5],
    ['answerTimeoutMs', '30s'],
  ])('refuses %s: %p', (name, value) => {
    expect(() => protect(createServer(), { [name]: value })).toThrow(
      `protect: ${name}: expected a whole number from 1, got ${JSON.stringify(value)}`,
    );
  });
});
