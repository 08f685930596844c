/** The API's servers with clients that pipeline, are idle, or are slow. */
import { once } from 'node:events';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { setImmediate as turnEnd } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from '@jest/globals';
import { connectRaw } from '../../test/support/raw-client.ts';
import { portOf } from '../../test/support/server.ts';
import { until } from '../../test/support/until.ts';
import { createServer } from '../src/server.ts';

let server: Server;
afterEach(async () => {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
});

async function start(listener: RequestListener): Promise<number> {
  server = createServer(listener).listen(0, '127.0.0.1');
  return portOf(server);
}

const get = (path: string | number) => `GET /${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
const many = (count: number) => Array.from({ length: count }, (_, n) => get(n)).join('');

describe('a client that pipelines', () => {
  it('has at most 17 unanswered requests, and gets all responses in order', async () => {
    const arrived: (() => void)[] = [];
    let inProgress = 0;
    let most = 0;
    const port = await start((request, response) => {
      most = Math.max(most, ++inProgress);
      arrived.push(() => {
        inProgress--;
        response.end(request.url);
      });
    });
    const client = await connectRaw(port);
    client.send(many(200));
    for (let answered = 0; answered < 200; answered++) {
      await until('the next request', () => arrived.length > answered);
      arrived[answered]?.();
    }
    await client.responses(200);
    const bodies = [...client.text().matchAll(/\r\n\r\n(?:\w+\r\n)?\/(\d+)/g)].map(([, path]) =>
      Number(path),
    );
    expect(bodies).toEqual(Array.from({ length: 200 }, (_, n) => n));
    expect(most).toBe(17);
  });

  it('may send bodies with any content and length', async () => {
    const body = `\r\n\r\n${'x'.repeat(200_000)}\r\n\r\n`;
    const port = await start((request, response) => {
      let length = 0;
      request.on('data', (data: Buffer) => {
        length += data.length;
      });
      request.on('end', () => response.end(`/${length}`));
    });
    const client = await connectRaw(port);
    const post = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    client.send(many(30) + post + get(1) + post);
    expect(await client.responses(33)).toHaveLength(33);
    await until('the last body', () => client.text().split(`/${body.length}`).length === 3);
  });

  it.each([
    [['GET /1 HTTP/1.1\r', '\nHost: x\r\n\r', '\n']],
    [['GET /1 HTTP/1.1\r\nHost: x\r\n\r', `\n${get(2)}`]],
  ])('may send heads in pieces: %j', async (pieces) => {
    const port = await start((request, response) => void response.end(request.url));
    const client = await connectRaw(port);
    for (const piece of pieces) {
      const before = client.socket.bytesWritten;
      client.send(piece);
      await until('the piece to leave', () => client.socket.bytesWritten > before);
    }
    expect(await client.responses(1)).toContain('200');
  });
});

it('reads one or two pieces of large bodies per turn of the event loop, however many clients send them', async () => {
  const turns: number[] = [];
  let turn = 0;
  let taken = 0;
  const port = await start((request) => {
    request.on('data', ({ length }: Buffer) => {
      taken += length;
      turns.push(turn);
    });
  });
  const clients = await Promise.all(Array.from({ length: 20 }, () => connectRaw(port)));
  const body = 'x'.repeat(1_000_000);
  for (const client of clients) {
    client.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  }
  while (taken < clients.length * body.length) {
    turn++;
    await turnEnd();
  }
  // Small pieces need no separate turn. Without protection, all connections read several pieces per turn.
  expect(turns.length / new Set(turns).size).toBeLessThan(4);
});

it('retains no request of idle connections', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const requests: WeakRef<IncomingMessage>[] = [];
  const port = await start((request, response) => {
    requests.push(new WeakRef(request));
    response.end('ok');
  });
  const clients = await Promise.all(Array.from({ length: 20 }, () => connectRaw(port)));
  for (const client of clients) client.send(get(1));
  for (const client of clients) await client.responses(1);
  await until('all but the last to be collected', () => {
    collect();
    return requests.filter((request) => request.deref()).length <= 2;
  });
  expect(clients.every(({ socket }) => !socket.destroyed)).toBe(true);
});

it('leaves timeouts to the application, whose response arrives', async () => {
  const port = await start((_request, response) => {
    response.setTimeout(20, () => {
      setImmediate(() => {
        response.statusCode = 503;
        response.end('slow');
      });
    });
  });
  const client = await connectRaw(port);
  client.send(get(1));
  expect(await client.responses(1)).toEqual(['503']);
  expect(server.timeout).toBe(0);
});

it('lets a client read a large response late, and a stream pause after it', async () => {
  let finish: (() => void) | undefined;
  const port = await start((_request, response) => {
    response.write(Buffer.alloc(12_000_000, 'a'));
    finish = () => void response.end('last event');
  });
  const client = await connectRaw(port);
  client.socket.pause();
  client.send(get(1));
  await until('the answer to begin', () => finish !== undefined);
  client.socket.resume();
  await until('the backlog to be taken', () => client.text().length > 12_000_000);
  finish?.();
  await until('the rest', () => client.text().includes('last event'));
});
