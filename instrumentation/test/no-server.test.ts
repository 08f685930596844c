/** Responses that no server creates or finishes: injected and mocked responses, and upgraded connections. */
import { EventEmitter, once } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { beforeEach, describe, expect, it } from '@jest/globals';
import express, { type Express, type Request, type Response } from 'express';
import { connectRaw } from '../../test/support/raw-client.ts';
import { until } from '../../test/support/until.ts';
import { serve, type TestApp } from './harness.ts';

let app: TestApp;
let application: Express;
beforeEach(async () => {
  application = express();
  app = await serve(application);
});

async function expectCounted(series: string): Promise<void> {
  await app.expectCounted({ [series]: 1 });
}

describe('a response without a server', () => {
  let request: Request;
  let response: ServerResponse;
  beforeEach(() => {
    application.get('/u/:id', (_q, r) => void r.status(201).end('x'));
    request = Object.assign(new IncomingMessage(new Socket()), { method: 'GET', url: '/u/1' }) as Request;
    response = new ServerResponse(request);
  });

  it('counts when a bare response ends', async () => {
    application(request, response as Response);
    await expectCounted('get /u/:id 201');
  });

  it.each([
    ['that emits its end', EventEmitter, true],
    ['that emits nothing', EventEmitter, false],
    ['without events', class {}, true],
  ] as const)('counts when a mocked response ends, %s', async (_name, Base, emits) => {
    const mocked = Object.assign(new Base(), {
      statusCode: 200,
      writableFinished: false,
      setHeader() {
        return this;
      },
      status(code: number) {
        this.statusCode = code;
        return this;
      },
      end() {
        this.writableFinished = true;
        if (emits) (this as unknown as EventEmitter).emit('finish');
      },
    });
    application(request, mocked as unknown as Response);
    await expectCounted('get /u/:id 201');
  });

  it('counts with its status if it is injected and closed before its sink accepts it', async () => {
    const write = (_chunk: unknown, _encoding: unknown, done: () => void) => void setImmediate(done);
    response.assignSocket(new Writable({ write }) as unknown as Socket);
    const { end } = response;
    response.end = ((...values: unknown[]) => {
      Reflect.apply(end, response, values);
      response.emit('finish');
      process.nextTick(() => response.emit('close'));
      return response;
    }) as typeof end;
    application(request, response as Response);
    await once(response, 'close');
    await expectCounted('get /u/:id 201');
  });

  it.each([
    ['aborted', 499],
    ['cut by its handler', 500],
  ])('counts with its own code if it is injected and %s', async (name, code) => {
    application.get('/hangs', () => undefined);
    const injected = Object.assign(new IncomingMessage(new EventEmitter() as Socket), request, {
      url: '/hangs',
      socket: new EventEmitter(),
    }) as unknown as Request;
    const held = new ServerResponse(injected);
    held.assignSocket(new Writable() as unknown as Socket);
    application(injected, held as Response);
    // Like light-my-request, which has no real sockets and its own `destroy`.
    if (name === 'aborted') Object.defineProperty(injected, 'destroyed', { value: true });
    held.emit('close');
    await expectCounted(`get /hangs ${code}`);
  });

  it('keeps an `emit` that it already has', async () => {
    const { emit } = response;
    const events: unknown[] = [];
    response.emit = ((event: string, ...values: unknown[]) => {
      events.push(event);
      return Reflect.apply(emit, response, [event, ...values]);
    }) as typeof emit;
    application(request, response as Response);
    response.emit('own', 1);
    expect(events).toEqual(['own']);
  });
});

describe('a connection that is upgraded', () => {
  const handshake = 'GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  let handled = 0;

  /** Answers `/a` with `handle`. @param isThroughUpgrade whether an `upgrade` listener calls the application, as in express-ws */
  async function upgrade(
    handle: (request: Request, response: Response) => unknown,
    isThroughUpgrade = false,
    bytes = handshake,
  ) {
    handled = 0;
    application.get('/a', (q, r) => {
      handled++;
      handle(q, r);
    });
    if (isThroughUpgrade)
      app.server.on('upgrade', (request: Request, socket: Socket) => {
        socket.write(switching);
        socket.on('error', () => undefined).on('end', () => socket.end());
        socket.resume();
        application(request, new ServerResponse(request) as Response);
      });
    const client = await app.send(bytes);
    await until('the handler to run', () => handled === 1);
    return client;
  }

  it.each([
    ['closed', (socket: Socket) => void socket.end()],
    ['reset', (socket: Socket) => void socket.resetAndDestroy()],
  ])('counts as 101 under its route when it is %s', async (_name, leave) => {
    const client = await upgrade(() => undefined, true);
    await client.responses(1);
    expect((await app.counts()).inProgress).toBe(1);
    leave(client.socket);
    await expectCounted('get /a 101');
    expect((await app.counts()).errors).toEqual({});
  });

  it('counts with the status of the route that refuses it', async () => {
    const client = await upgrade((_q, r) => r.sendStatus(403), true);
    await expectCounted('get /a 403');
    client.socket.destroy();
  });

  it.each<[string, (request: Request, response: Response) => unknown]>([
    ['gives its socket away', (q) => q.socket.write(switching)],
    ['sends that head itself', (_q, r) => r.writeHead(101, { upgrade: 'websocket' }).flushHeaders()],
  ])('counts as 101 if a handler %s', async (_name, handle) => {
    const client = await upgrade(handle);
    await client.responses(1);
    client.socket.destroy();
    await expectCounted('get /a 101');
  });

  it.each([
    ['a string', 'tcp', (head: string) => head, 101],
    ['a buffer', 'websocket', (head: string) => Buffer.from(head), 101],
    ['an array of bytes', 'own/2', (head: string) => Uint8Array.from(Buffer.from(head)), 101],
    ['early hints only', 'tcp', () => 'HTTP/1.1 103 Early Hints\r\n\r\n', 499],
    ['a refusal, as by ws', 'websocket', () => 'HTTP/1.1 400 Bad Request\r\n\r\n', 400],
  ])(
    'counts with the status that is written to its socket, whatever the protocol: %s',
    async (_name, protocol, toBytes, code) => {
      const to = (text: string) => text.replace('websocket', protocol);
      const client = await upgrade((q) => q.socket.write(toBytes(to(switching))), false, to(handshake));
      await client.responses(1);
      client.socket.destroy();
      await expectCounted(`get /a ${code}`);
    },
  );

  it.each([
    ['after a response', false],
    ['pipelined behind one', true],
  ])('counts as 499 if its client disconnects from a reused connection, %s', async (_name, isPipelined) => {
    handled = 0;
    application.get('/b', (_q, r) => void setImmediate(() => r.send('ok')));
    application.get('/a', () => void handled++);
    const client = await connectRaw(app.port);
    const first = 'GET /b HTTP/1.1\r\nHost: x\r\n\r\n';
    client.send(isPipelined ? first + handshake : first);
    await client.responses(1);
    if (!isPipelined) client.send(handshake);
    await until('the handler to run', () => handled === 1);
    client.socket.destroy();
    await app.expectCounted({ 'get /a 499': 1, 'get /b 200': 1 });
  });

  it('leaves the socket unchanged if the upgrade is refused', async () => {
    const methods = new Set<unknown>();
    application.get('/a', (q, r) => {
      r.once('finish', () => methods.add(q.socket.write).add(q.socket.end));
      r.send('ok');
    });
    const client = await connectRaw(app.port);
    for (let answered = 1; answered <= 5; answered++) {
      client.send(handshake.replace('websocket', 'h2c'));
      await client.responses(answered);
    }
    await app.expectCounted({ 'get /a 200': 5 });
    expect(methods).toEqual(new Set([Socket.prototype.write, Socket.prototype.end]));
    client.socket.destroy();
  });

  it('counts as 499 if its client disconnects before any response', async () => {
    (await upgrade(() => undefined)).socket.destroy();
    await expectCounted('get /a 499');
  });
});

describe('a response that a handler detaches from its socket', () => {
  it.each<[string, (socket: Socket) => unknown, number]>([
    ['the client disconnects', () => undefined, 499],
    ['the process ends it', (socket) => socket.destroy(), 500],
    [
      'the owner of the socket answers',
      (socket) => socket.end('HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n'),
      202,
    ],
  ])('ends with the connection: %s', async (_name, use, code) => {
    let isRunning = false;
    const inner = express().get('/b', (q, r) => {
      isRunning = true;
      r.detachSocket(q.socket);
      use(q.socket);
    });
    application.use('/a', inner);
    const client = await app.send('GET /a/b HTTP/1.1\r\nHost: x\r\n\r\n');
    await until('the handler to run', () => isRunning);
    if (code === 499) client.socket.destroy();
    await expectCounted(`get /a/b ${code}`);
    client.socket.destroy();
  });
});
