/** When a response has ended, and whose answer it was: what applications, test tools and WebSockets do to responses. */
import { EventEmitter, once } from 'node:events';
import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { connectRaw } from '../../test/support/raw-client.ts';
import { until } from '../../test/support/until.ts';
import { instrument, outcome } from '../src/index.ts';
import { type StartOptions, serve, startApp, sum, type TestApp } from './harness.ts';

const require = createRequire(import.meta.url);
const big = 'x'.repeat(8_000_000);
const none = (durations: Record<string, number>) => ({ durations, inProgress: 0 });

let app: TestApp;
afterEach(() => app.close());

const start = async (build: (application: Express) => void, options?: StartOptions) => {
  app = await startApp(build, options);
};

/** Sends `GET /a` on a connection of its own, and reads it to its end. */
async function get(version = '1.1', extra = ''): Promise<string> {
  const client = await connectRaw(app.port);
  client.send(`GET /a HTTP/${version}\r\nHost: x\r\nConnection: close\r\n${extra}\r\n`);
  await client.closed();
  return client.text();
}

const removals = [['close'], ['finish'], ['prefinish'], ['close', 'finish'], [undefined]] as const;
const remove = (response: Response, events: readonly (string | undefined)[]) => {
  for (const event of events) event ? response.removeAllListeners(event) : response.removeAllListeners();
};

describe.each(removals.map((events) => [events.join(' and ') || 'all', events] as const))(
  'a response whose listeners are removed (%s)',
  (_name, events) => {
    it.each(['before', 'after'])('is counted when it is sent, %s its answer', async (when) => {
      await start((a) =>
        a.get('/a', (_q, r) => {
          if (when === 'before') remove(r, events);
          r.send('ok');
          if (when === 'after') remove(r, events);
        }),
      );
      // Without the listeners of Node itself the connection stays open.
      const client = await connectRaw(app.port);
      client.send('GET /a HTTP/1.1\r\nHost: x\r\n\r\n');
      await client.responses(1);
      expect(await app.settled(1)).toMatchObject(none({ 'get /a 200': 1 }));
      client.socket.destroy();
    });

    it('is a 499 when the client leaves before its end', async () => {
      let isRunning = false;
      await start((a) =>
        a.get('/a', (_q, r) => {
          remove(r, events);
          r.write('half');
          isRunning = true;
        }),
      );
      const client = await connectRaw(app.port);
      client.send('GET /a HTTP/1.1\r\nHost: x\r\n\r\n');
      await until('the handler to run', () => isRunning);
      client.socket.destroy();
      expect(await app.settled(1)).toMatchObject(none({ 'get /a 499': 1 }));
    });
  },
);

describe('a response that was handed over in full', () => {
  it.each<[string, (response: Response) => void]>([
    ['in finish', (r) => void r.once('finish', () => r.socket?.destroy()).send('ok')],
    ['right after its end', (r) => void r.send('ok').socket?.destroy()],
    ['by destroying the response', (r) => void r.send('ok').destroy()],
    [
      'in the callback of its end',
      (r) => {
        const { socket } = r;
        r.end('ok', () => socket?.destroy(new Error('by the test')));
      },
    ],
  ])('keeps its status when the socket is destroyed: %s', async (_name, answer) => {
    const outcomes: number[] = [];
    await start((a) =>
      a.get('/a', (_q, r) => {
        r.once('close', () => outcomes.push(outcome(r)));
        answer(r);
      }),
    );
    expect(await get()).toContain('200 OK');
    expect(await app.settled(1)).toMatchObject(none({ 'get /a 200': 1 }));
    expect(outcomes).toEqual([200]);
  });

  it('is a 500 when the socket is destroyed before it has left', async () => {
    const outcomes: number[] = [];
    await start((a) =>
      a.get('/a', (_q, r) => {
        r.once('close', () => outcomes.push(outcome(r)));
        r.send(big).socket?.destroy();
      }),
    );
    await get();
    expect(await app.settled(1)).toMatchObject(none({ 'get /a 500': 1 }));
    expect(outcomes).toEqual([500]);
  });

  it('has the status that was sent, whatever is set afterwards', async () => {
    const outcomes: number[] = [];
    await start((a) =>
      a.get('/a', (_q, r) => {
        r.once('close', () => outcomes.push(outcome(r)));
        r.status(201).write('half');
        r.status(500).end('rest');
      }),
    );
    expect(await get()).toContain('201 Created');
    expect(await app.settled(1)).toMatchObject(none({ 'get /a 201': 1 }));
    expect(outcomes).toEqual([201]);
  });

  it.each<[string, string, string, (response: Response) => void, number]>([
    ['HTTP/1.0', '1.0', '', (r) => void r.send('ok'), 200],
    ['204', '1.1', '', (r) => void r.sendStatus(204), 204],
    ['304', '1.1', '', (r) => void r.status(304).end(), 304],
    ['chunks', '1.1', '', (r) => r.write('a', () => r.end('b')), 200],
    ['8 MB', '1.1', '', (r) => void r.send(big), 200],
    ['an upgrade to HTTP/2 that is not made', '1.1', 'Upgrade: h2c\r\n', (r) => void r.send('ok'), 200],
  ])('is counted once: %s', async (_name, version, extra, answer, code) => {
    await start((a) => a.get('/a', (_q, r) => answer(r)));
    await get(version, extra);
    expect(await app.settled(1)).toMatchObject(none({ [`get /a ${code}`]: 1 }));
  });

  it('hands every event on to listeners, with its values', async () => {
    const seen: unknown[] = [];
    await start((a) =>
      a.get('/a', (_q, r) => {
        for (const name of ['finish', 'close', 'own'])
          r.on(name, (...values: unknown[]) => seen.push([name, ...values]));
        r.emit('own', 1, 2, 3);
        r.send('ok');
      }),
    );
    await get();
    await app.settled(1);
    await until('its end', () => seen.length === 3);
    expect(seen).toEqual([['own', 1, 2, 3], ['finish'], ['close']]);
  });
});

type Answer = (response: Response, next: NextFunction) => void;

describe.each(['express-4', 'express'])('a route that answers and calls next() (%s)', (id) => {
  const createApp = require(id) as () => Express;
  it.each<[string, Answer]>([
    ['a small answer', (r, next) => void next(void r.json(1))],
    ['a large one', (r, next) => void next(void r.send(big))],
    [
      'one in parts',
      (r, next) => {
        r.write('half');
        setImmediate(() => r.end('rest'));
        next();
      },
    ],
  ])('keeps its label, whatever comes after it: %s', async (_name, answer) => {
    await start(
      (a) => {
        a.get('/users/:id', (_q, r, next) => answer(r, next));
        a.all(/./, () => undefined);
      },
      { createApp },
    );
    const client = await connectRaw(app.port);
    client.send('GET /users/1 HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(3));
    await client.responses(3);
    expect(await app.settled(3)).toMatchObject(none({ 'get /users/:id 200': 3 }));
    client.socket.destroy();
  });

  it('is not counted twice where it enters a second mount of the same application', async () => {
    const inner = createApp();
    const metrics = instrument(inner, { defaultMetrics: false });
    inner.get('/a', (_q: Request, r: Response, next: NextFunction) => void next(void r.send('ok')));
    const outer = createApp();
    outer.use(inner).use(inner);
    app = await serve(createServer(outer), metrics);
    await get();
    expect(await app.settled(1)).toMatchObject(none({ 'get /a 200': 1 }));
  });
});

describe('a response that no server made', () => {
  async function startUnserved(): Promise<Express> {
    const application = express();
    const metrics = instrument(application, { defaultMetrics: false });
    application.get('/u/:id', (_q, r) => void r.status(201).end('x'));
    app = await serve(createServer(application), metrics);
    return application;
  }

  function requestOf(socket = new Socket()): IncomingMessage {
    return Object.assign(new IncomingMessage(socket), { method: 'GET', url: '/u/1' });
  }

  it('is counted when it is ended: a bare one', async () => {
    const application = await startUnserved();
    const request = requestOf();
    application(request as Request, new ServerResponse(request) as Response);
    expect(await app.counts()).toMatchObject(none({ 'get /u/:id 201': 1 }));
  });

  it.each([
    ['that emits its end', EventEmitter, true],
    ['that emits nothing', EventEmitter, false],
    ['without events', class {}, true],
  ] as const)(
    'is counted when it is ended: an object that stands for one, %s',
    async (_name, Base, emits) => {
      const application = await startUnserved();
      const response = Object.assign(new Base(), {
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
      application(requestOf() as Request, response as unknown as Response);
      expect(await app.counts()).toMatchObject(none({ 'get /u/:id 201': 1 }));
    },
  );

  it('is counted with its status: one that is injected, and closed before its sink has taken it', async () => {
    const application = await startUnserved();
    const request = requestOf();
    const response = new ServerResponse(request);
    response.assignSocket(
      new Writable({ write: (_chunk, _encoding, done) => setImmediate(done) }) as unknown as Socket,
    );
    const { end } = response;
    response.end = ((...values: unknown[]) => {
      Reflect.apply(end, response, values);
      response.emit('finish');
      process.nextTick(() => response.emit('close'));
      return response;
    }) as typeof end;
    application(request as Request, response as Response);
    await once(response, 'close');
    expect(await app.counts()).toMatchObject(none({ 'get /u/:id 201': 1 }));
  });

  it.each([
    ['aborted', 499, (request: IncomingMessage) => request.emit('close')],
    ['cut by its handler', 500, () => undefined],
  ])('is a status of its own where it is injected, on no real socket, and %s', async (name, code, emit) => {
    const application = await startUnserved();
    application.get('/hangs', () => undefined);
    const request = new IncomingMessage(new EventEmitter() as Socket);
    const response = new ServerResponse(Object.assign(request, { method: 'GET', url: '/hangs' }));
    response.assignSocket(new Writable() as unknown as Socket);
    application(request as Request, response as Response);
    // As light-my-request does, whose socket and `destroy` are its own.
    if (name === 'aborted') Object.defineProperty(request, 'destroyed', { value: true });
    emit(request);
    response.emit('close');
    expect(await app.counts()).toMatchObject(none({ [`get /hangs ${code}`]: 1 }));
  });

  it('leaves the `emit` of its own in place', async () => {
    const application = await startUnserved();
    const request = requestOf();
    const response = new ServerResponse(request);
    const { emit } = response;
    const events: unknown[] = [];
    response.emit = ((event: string, ...values: unknown[]) => {
      events.push(event);
      return Reflect.apply(emit, response, [event, ...values]);
    }) as typeof emit;
    application(request as Request, response as Response);
    response.emit('own', 1);
    expect(events).toEqual(['own']);
  });
});

describe('a connection that is upgraded', () => {
  const handshake = 'GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

  /** As express-ws does. */
  function upgradeThrough(application: Express): void {
    app.server.on('upgrade', (request: Request, socket: Socket) => {
      socket.write(switching);
      socket.on('error', () => undefined).on('end', () => socket.end());
      socket.resume();
      application(request, new ServerResponse(request) as Response);
    });
  }

  it.each([
    ['closed', (socket: Socket) => void socket.end()],
    ['reset', (socket: Socket) => void socket.resetAndDestroy()],
  ])('is a 101 by the route that takes it, when it is %s', async (_name, leave) => {
    let taken = 0;
    let application: Express | undefined;
    await start((a) => {
      application = a.get('/a', () => void taken++);
    });
    upgradeThrough(application as Express);
    const client = await connectRaw(app.port);
    client.send(handshake);
    await client.responses(1);
    await until('the route to take it', () => taken === 1);
    expect((await app.counts()).inProgress).toBe(1);
    leave(client.socket);
    expect(await app.settled(1)).toMatchObject({ ...none({ 'get /a 101': 1 }), errors: {} });
  });

  it('has the status of the route that refuses it', async () => {
    let application: Express | undefined;
    await start((a) => {
      application = a.get('/a', (_q, r) => void r.sendStatus(403));
    });
    upgradeThrough(application as Express);
    const client = await connectRaw(app.port);
    client.send(handshake);
    expect((await app.settled(1)).durations).toEqual({ 'get /a 403': 1 });
    client.socket.destroy();
  });

  it('is a 101 where a handler gives its socket away', async () => {
    await start((a) => a.get('/a', (q) => void q.socket.write(switching)));
    const client = await connectRaw(app.port);
    client.send(handshake);
    await client.responses(1);
    client.socket.destroy();
    expect(await app.settled(1)).toMatchObject(none({ 'get /a 101': 1 }));
  });

  it('is a 101 where a handler sends that head itself', async () => {
    await start((a) => a.get('/a', (_q, r) => r.writeHead(101, { upgrade: 'websocket' }).flushHeaders()));
    const client = await connectRaw(app.port);
    client.send(handshake);
    await client.responses(1);
    client.socket.destroy();
    expect(await app.settled(1)).toMatchObject(none({ 'get /a 101': 1 }));
  });

  it.each([
    ['a string', 'tcp', (head: string) => head, 101],
    ['bytes', 'websocket', (head: string) => Buffer.from(head), 101],
    ['a plain array of bytes', 'my-protocol/2', (head: string) => Uint8Array.from(Buffer.from(head)), 101],
    ['early hints first', 'tcp', (head: string) => `HTTP/1.1 103 Early Hints\r\n\r\n${head}`, 499],
  ])(
    'has the status of the head on its socket, for any protocol: %s',
    async (_name, protocol, toBytes, code) => {
      const head = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`;
      await start((a) => a.get('/a', (q) => void q.socket.write(toBytes(head))));
      const client = await connectRaw(app.port);
      client.send(handshake.replace('websocket', protocol));
      await client.responses(1);
      client.socket.destroy();
      expect(await app.settled(1)).toMatchObject(none({ [`get /a ${code}`]: 1 }));
    },
  );

  it('has the status of its refusal where a library ends the socket with that', async () => {
    await start((a) => a.get('/a', (q) => void q.socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    const client = await connectRaw(app.port);
    client.send(handshake);
    await client.closed();
    expect(await app.settled(1)).toMatchObject(none({ 'get /a 400': 1 }));
  });

  it.each([
    ['after an answer', false],
    ['pipelined behind one', true],
  ])('is a 499 where its client leaves a connection that was used before, %s', async (_name, isPipelined) => {
    let isRunning = false;
    await start((a) =>
      a
        .get('/b', (_q, r) => setImmediate(() => r.send('ok')))
        .get('/a', () => {
          isRunning = true;
        }),
    );
    const client = await connectRaw(app.port);
    const first = 'GET /b HTTP/1.1\r\nHost: x\r\n\r\n';
    client.send(isPipelined ? first + handshake : first);
    await client.responses(1);
    if (!isPipelined) client.send(handshake);
    await until('the handler to run', () => isRunning);
    client.socket.destroy();
    expect(await app.settled(2)).toMatchObject(none({ 'get /a 499': 1, 'get /b 200': 1 }));
  });

  it('leaves the socket of a client that always asks for one as it was', async () => {
    const writes = new Set<unknown>();
    await start((a) =>
      a.get('/a', (q, r) => {
        r.once('finish', () => writes.add(q.socket.write).add(q.socket.end));
        r.send('ok');
      }),
    );
    const client = await connectRaw(app.port);
    for (let answered = 1; answered <= 5; answered++) {
      client.send(handshake.replace('websocket', 'h2c'));
      await client.responses(answered);
    }
    expect(await app.settled(5)).toMatchObject(none({ 'get /a 200': 5 }));
    expect(writes).toEqual(new Set([Socket.prototype.write, Socket.prototype.end]));
    client.socket.destroy();
  });

  it('is a 499 where its client leaves before anything was answered', async () => {
    let isRunning = false;
    await start((a) =>
      a.get('/a', () => {
        isRunning = true;
      }),
    );
    const client = await connectRaw(app.port);
    client.send(handshake);
    await until('the handler to run', () => isRunning);
    client.socket.destroy();
    expect(await app.settled(1)).toMatchObject(none({ 'get /a 499': 1 }));
  });
});

describe('a response that a handler detaches from its socket', () => {
  const answer = 'HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n';
  it.each<[string, (socket: Socket) => unknown, number]>([
    ['the client leaves', () => undefined, 499],
    ['the process ends it', (socket) => socket.destroy(), 500],
    ['it answers by itself', (socket) => socket.end(answer), 202],
  ])('ends with the connection: %s', async (_name, use, code) => {
    let isRunning = false;
    const inner = express().get('/b', (q, r) => {
      isRunning = true;
      r.detachSocket(q.socket);
      use(q.socket);
    });
    await start((a) => a.use('/a', inner));
    const client = await connectRaw(app.port);
    client.send('GET /a/b HTTP/1.1\r\nHost: x\r\n\r\n');
    await until('the handler to run', () => isRunning);
    if (code === 499) client.socket.destroy();
    expect(await app.settled(1)).toMatchObject(none({ [`get /a/b ${code}`]: 1 }));
    client.socket.destroy();
  });
});

describe('a client that pipelines', () => {
  const request = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';

  it('is answered as by bare Express: all 2,000 of one write', async () => {
    await start((a) => a.get('/a', (_q, r) => void r.send('ok')));
    const client = await connectRaw(app.port);
    client.send(request.repeat(2_000));
    expect(await client.responses(2_000)).toHaveLength(2_000);
    expect(await app.settled(2_000)).toMatchObject(none({ 'get /a 200': 2_000 }));
    client.socket.destroy();
  });

  it('is counted for each request that came, and nothing of it is left, when it never reads and goes', async () => {
    let handled = 0;
    await start((a) =>
      a.get('/a', (_q, r) => {
        handled++;
        r.send('x'.repeat(100_000));
      }),
    );
    const client = await connectRaw(app.port);
    client.socket.pause();
    client.send(request.repeat(2_000));
    let before = -1;
    await until('the server to wait for the client', async () => {
      const isStill = handled === before && handled > 0;
      before = handled;
      await app.counts();
      return isStill;
    });
    client.socket.destroy();
    const { durations, inProgress } = await app.settled(handled);
    expect(Object.keys(durations).sort()).toEqual(['get /a 200', 'get /a 499']);
    expect([sum(durations), inProgress]).toEqual([handled, 0]);
  });
});
