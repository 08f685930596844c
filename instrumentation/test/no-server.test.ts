/** Responses that no server made, or not to the end: injectors, mocks, and connections that are upgraded. */
import { EventEmitter, once } from 'node:events';
import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import express, { type Express, type Request, type Response } from 'express';
import { connectRaw } from '../../test/support/raw-client.ts';
import { until } from '../../test/support/until.ts';
import { instrument } from '../src/index.ts';
import { serve, type TestApp } from './harness.ts';

let app: TestApp;
let application: Express;
beforeEach(async () => {
  application = express();
  app = await serve(createServer(application), instrument(application, { defaultMetrics: false }));
});
afterEach(() => app.close());

async function expectCounted(series: string): Promise<void> {
  expect((await app.settled(1)).durations).toEqual({ [series]: 1 });
}

describe('a response that no server made', () => {
  let request: Request;
  let response: ServerResponse;
  beforeEach(() => {
    application.get('/u/:id', (_q, r) => void r.status(201).end('x'));
    request = Object.assign(new IncomingMessage(new Socket()), { method: 'GET', url: '/u/1' }) as Request;
    response = new ServerResponse(request);
  });

  it('is counted when it is ended: a bare one', async () => {
    application(request, response as Response);
    await expectCounted('get /u/:id 201');
  });

  it.each([
    ['with events', EventEmitter],
    ['without', class {}],
  ] as const)('is counted when it is ended: an object that stands for one, %s', async (_name, Base) => {
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
        (this as unknown as EventEmitter).emit('finish');
      },
    });
    application(request, mocked as unknown as Response);
    await expectCounted('get /u/:id 201');
  });

  it('is counted with its status: one that is injected, and closed before its sink has taken it', async () => {
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

  it('leaves the `emit` of its own in place', async () => {
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

  /** Answers `/a` with `handle`. @param isThroughUpgrade whether an `upgrade` listener calls the application, as of express-ws */
  async function upgrade(
    handle: (request: Request, response: Response) => unknown,
    isThroughUpgrade = false,
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
    const client = await connectRaw(app.port);
    client.send(handshake);
    await until('the handler to run', () => handled === 1);
    return client;
  }

  it.each([
    ['closed', (socket: Socket) => void socket.end()],
    ['reset', (socket: Socket) => void socket.resetAndDestroy()],
  ])('is a 101 by the route that takes it, when it is %s', async (_name, leave) => {
    const client = await upgrade(() => undefined, true);
    await client.responses(1);
    expect((await app.counts()).inProgress).toBe(1);
    leave(client.socket);
    await expectCounted('get /a 101');
    expect((await app.counts()).errors).toEqual({});
  });

  it('has the status of the route that refuses it', async () => {
    const client = await upgrade((_q, r) => r.sendStatus(403), true);
    await expectCounted('get /a 403');
    client.socket.destroy();
  });

  it.each<[string, (request: Request, response: Response) => unknown]>([
    ['gives its socket away', (q) => q.socket.write(switching)],
    ['sends that head itself', (_q, r) => r.writeHead(101, { upgrade: 'websocket' }).flushHeaders()],
  ])('is a 101 where a handler %s', async (_name, handle) => {
    const client = await upgrade(handle);
    await client.responses(1);
    client.socket.destroy();
    await expectCounted('get /a 101');
  });

  it('is a 499 where its client leaves before anything was answered', async () => {
    (await upgrade(() => undefined)).socket.destroy();
    await expectCounted('get /a 499');
  });
});
