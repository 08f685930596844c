/**
 * Requests that are easily counted wrongly, each with a small application, the client that sends them, and what must be
 * counted. A count is named `get /users/:name 200`; `unmatched` are requests that no route handled.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { type ErrorRequestHandler, type Express, type Handler, Router } from 'express';

export type Counts = Readonly<Record<string, number>>;

export interface Case {
  readonly title: string;
  readonly build: (app: Express) => void;
  /** @param origin of the application @param metricsUrl of its exposition */
  readonly send: (origin: string, metricsUrl: string) => Promise<void>;
  /** Series that must be there, with their values. */
  readonly expected: Counts;
}

const answer: Handler = (_request, response) => void response.type('text/plain').send('done');

async function get(origin: string, ...paths: string[]): Promise<void> {
  for (const path of paths) await (await fetch(origin + path)).arrayBuffer();
}

/** Sends `requests` in one piece and breaks the connection as soon as the first byte of an answer comes. */
async function breakOff(origin: string, ...paths: string[]): Promise<void> {
  const socket = connect(Number(new URL(origin).port), '127.0.0.1');
  socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''));
  await once(socket, 'data');
  socket.resetAndDestroy();
  await once(socket, 'close');
}

/** Handles `/items` with `handler`, in a router that is mounted at `mount`. */
const mountedAt =
  (mount: string, handler: Handler, last?: ErrorRequestHandler): Case['build'] =>
  (app) => {
    const router = Router();
    router.get('/items', handler);
    app.use(mount, router);
    if (last) app.use(last);
  };

export const cases: Readonly<Record<string, Case>> = {
  zero: {
    title: 'A route without requests is there with 0',
    build: (app) => app.get('/items', answer),
    send: async () => undefined,
    expected: { 'get /items 200': 0 },
  },
  parameter: {
    title: 'Two values of a parameter are one series',
    build: (app) => app.get('/users/:name', answer),
    send: (origin) => get(origin, '/users/anna', '/users/bert'),
    expected: { 'get /users/:name 200': 2 },
  },
  scanner: {
    title: 'Paths that do not exist make no series',
    build: (app) => app.get('/items', answer),
    send: (origin) => get(origin, '/admin.php', '/.env', '/wp-login'),
    expected: { 'get unmatched 404': 3 },
  },
  nested: {
    title: 'A router in a router',
    build: (app) => app.use('/api', Router().use('/v1', Router().get('/users/:id', answer))),
    send: (origin) => get(origin, '/api/v1/users/7'),
    expected: { 'get /api/v1/users/:id 200': 1 },
  },
  'mount-parameter': {
    title: 'A router mounted below a parameter: two values are one series',
    build: mountedAt('/shops/:shop', answer),
    send: (origin) => get(origin, '/shops/one/items', '/shops/two/items'),
    expected: { 'get /shops/:shop/items 200': 2 },
  },
  'mounted-twice': {
    title: 'One router mounted twice',
    build(app) {
      const router = Router().get('/items', answer);
      app.use('/old', router).use('/new', router);
    },
    send: (origin) => get(origin, '/old/items', '/new/items', '/new/items'),
    expected: { 'get /old/items 200': 1, 'get /new/items 200': 2 },
  },
  error: {
    title: "An error in a router, answered by the application's error handler",
    build: mountedAt(
      '/api',
      () => {
        throw new Error('failed');
      },
      (_error, _request, response, _next) => void response.status(500).send('failed'),
    ),
    send: (origin) => get(origin, '/api/items'),
    expected: { 'get /api/items 500': 1 },
  },
  next: {
    title: 'A handler calls `next()`, and no other answers: not found',
    build: mountedAt('/api', (_request, _response, next) => next()),
    send: (origin) => get(origin, '/api/items'),
    expected: { 'get unmatched 404': 1 },
  },
  'abort-waiting': {
    title: 'The client leaves before the answer',
    // 102 Processing is no answer yet, and tells the client that the handler has begun.
    build: mountedAt('/api', (_request, response) => response.writeProcessing()),
    send: (origin) => breakOff(origin, '/api/items'),
    expected: { 'get /api/items 499': 1 },
  },
  'abort-half': {
    title: 'The client leaves in the middle of the answer',
    build: mountedAt('/api', (_request, response) => void response.write('half')),
    send: (origin) => breakOff(origin, '/api/items'),
    expected: { 'get /api/items 499': 1 },
  },
  cut: {
    title: 'The server cuts its answer short',
    build: mountedAt('/api', (_request, response) => {
      response.write('half', () => response.destroy());
    }),
    send: (origin) => get(origin, '/api/items').catch(() => undefined),
    expected: { 'get /api/items 500': 1 },
  },
  pipelined: {
    title: 'Three pipelined requests, and the client leaves during the first',
    build: mountedAt('/api', (_request, response) => void response.write('half')),
    send: (origin) => breakOff(origin, '/api/items', '/api/items', '/api/items'),
    expected: { 'get /api/items 499': 3 },
  },
  scrape: {
    title: 'Scrapes on a port of their own are not counted',
    build: (app) => app.get('/items', answer),
    send: async (origin, metricsUrl) => {
      await get(metricsUrl, '', '');
      await get(origin, '/items');
    },
    expected: { 'get /items 200': 1 },
  },
};
