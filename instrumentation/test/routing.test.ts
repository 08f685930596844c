/** What each way of making routes is labelled, on the oldest and the newest Express 4 and 5, instrumented before and after. */
import { createRequire } from 'node:module';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Express, NextFunction, Request, Response, Router } from 'express';
import { connectRaw } from '../../test/support/raw-client.ts';
import { startApp, type TestApp } from './harness.ts';

const require = createRequire(import.meta.url);
type ExpressModule = typeof import('express');
const versions = (
  [
    ['4.18', 'express-4-18'],
    ['4.latest', 'express-4'],
    ['5.0', 'express-5-0'],
    ['5.latest', 'express'],
  ] as const
).map(([name, id]) => ({ name, express: require(id) as ExpressModule, major: name.startsWith('4') ? 4 : 5 }));

const ok = (_request: Request, response: Response) => void response.send('ok');
const pass = (_request: Request, _response: Response, next: NextFunction) => next();
const refuse = (code: number) => (_request: Request, response: Response) =>
  void response.status(code).send('no');

interface Build {
  readonly app: Express;
  readonly express: ExpressModule;
  readonly router: () => Router;
  readonly major: number;
}

/** What is built, the request line, and `method path code` as it must be counted. */
type Row = readonly [
  name: string,
  build: (parts: Build) => void,
  request: string,
  expected: string | ((major: number) => string),
];

const rows: readonly Row[] = [
  ['the root', ({ app }) => app.get('/', ok), 'GET /', 'get / 200'],
  ['a static path', ({ app }) => app.get('/a/b', ok), 'GET /a/b', 'get /a/b 200'],
  ['a query', ({ app }) => app.get('/a', ok), 'GET /a?b=/c/d', 'get /a 200'],
  ['HEAD', ({ app }) => app.get('/a', ok), 'HEAD /a', 'get /a 200'],
  ['HEAD with a handler of its own', ({ app }) => app.head('/a', ok), 'HEAD /a', 'get /a 200'],
  [
    'a route with several methods, the first',
    ({ app }) => void app.route('/a').get(ok).post(ok),
    'GET /a',
    'get /a 200',
  ],
  [
    'a route with several methods, the last',
    ({ app }) => void app.route('/a').get(ok).post(ok),
    'POST /a',
    'post /a 200',
  ],
  ['all methods', ({ app }) => app.all('/a', ok), 'PUT /a', 'put /a 200'],
  [
    'all methods, one that nobody has heard of',
    ({ app }) => app.all('/a', ok),
    'PROPFIND /a',
    'other /a 200',
  ],
  ['a parameter', ({ app }) => app.get('/users/:id', ok), 'GET /users/7', 'get /users/:id 200'],
  ['several parameters', ({ app }) => app.get('/a/:x-:y/z', ok), 'GET /a/1-2/z', 'get /a/:x-:y/z 200'],
  [
    'a percent-encoded parameter',
    ({ app }) => app.get('/users/:id', ok),
    'GET /users/a%2Fb',
    'get /users/:id 200',
  ],
  [
    'a parameter in a mount path',
    ({ app, router }) => app.use('/api/:tenant', router().get('/users/:id', ok)),
    'GET /api/acme/users/7',
    'get /api/:tenant/users/:id 200',
  ],
  [
    'a parameter whose value is also in the path',
    ({ app, router }) => app.use('/api/:tenant', router().get('/users', ok)),
    'GET /api/api/users',
    'get /api/:tenant/users 200',
  ],
  [
    'two parameters of the same value in a mount path',
    ({ app, router }) => app.use('/:a/x/:b', router().get('/users', ok)),
    'GET /x/x/x/users',
    'get /:a/x/:b/users 200',
  ],
  [
    'a router in a router in a router',
    ({ app, router }) => app.use('/a', router().use('/b/:c', router().use('/d', router().get('/e', ok)))),
    'GET /a/b/1/d/e',
    'get /a/b/:c/d/e 200',
  ],
  ['the root of a router', ({ app, router }) => app.use('/a', router().get('/', ok)), 'GET /a', 'get /a 200'],
  ['a router without a path', ({ app, router }) => app.use(router().get('/a', ok)), 'GET /a', 'get /a 200'],
  [
    'a router behind a middleware in one call',
    ({ app, router }) => app.use('/a', pass, router().get('/b', ok)),
    'GET /a/b',
    'get /a/b 200',
  ],
  [
    'an error thrown in a nested router',
    ({ app, router }) =>
      app.use(
        '/a/:b',
        router().get('/c', () => {
          throw new Error('thrown by the test');
        }),
      ),
    'GET /a/1/c',
    'get /a/:b/c 500',
  ],
  [
    'an error with a status of its own',
    ({ app }) => app.get('/a', (_q, _r, next) => next(Object.assign(new Error('gone'), { status: 410 }))),
    'GET /a',
    'get /a 410',
  ],
  [
    'an error that a handler of the application answers',
    ({ app, router }) => {
      app.use(
        '/a',
        router().get('/b', (_q, _r, next) => next(new Error('passed by the test'))),
      );
      app.use(
        (_error: Error, _q: Request, response: Response, _next: NextFunction) =>
          void response.status(503).end(),
      );
    },
    'GET /a/b',
    'get /a/b 503',
  ],
  [
    'an answer of 404 by a route',
    ({ app }) => app.get('/users/:id', refuse(404)),
    'GET /users/7',
    'get /users/:id 404',
  ],
  [
    'the same router mounted twice, by the first',
    ({ app, router }) => {
      const users = router().get('/users/:id', ok);
      app.use('/v1', users).use('/v2', users);
    },
    'GET /v1/users/7',
    'get /v1/users/:id 200',
  ],
  [
    'the same router mounted twice, by the second',
    ({ app, router }) => {
      const users = router().get('/users/:id', ok);
      app.use('/v1', users).use('/v2', users);
    },
    'GET /v2/users/7',
    'get /v2/users/:id 200',
  ],
  ['an array of paths, the first', ({ app }) => app.get(['/a', '/b/:c'], ok), 'GET /a', 'get /a 200'],
  ['an array of paths, the second', ({ app }) => app.get(['/a', '/b/:c'], ok), 'GET /b/1', 'get /b/:c 200'],
  [
    'an array of mount paths, the first',
    ({ app, router }) => app.use(['/a', '/b/:c'], router().get('/x', ok)),
    'GET /a/x',
    'get /a/x 200',
  ],
  [
    'an array of mount paths, the second',
    ({ app, router }) => app.use(['/a', '/b/:c'], router().get('/x', ok)),
    'GET /b/1/x',
    'get /b/:c/x 200',
  ],
  ['an expression', ({ app }) => app.get(/^\/ab+c$/, ok), 'GET /abbbc', 'get /^\\/ab+c$/ 200'],
  [
    'an expression in a mount, known before',
    ({ app, router }) => app.use(/^\/v\d+/, router().get('/x', ok)),
    'GET /v12/x',
    'get /^\\/v\\d+//x 200',
  ],
  [
    'a wildcard',
    ({ app, major }) => app.get(major === 4 ? '/files/*' : '/files/*path', ok),
    'GET /files/a/b/c.txt',
    (major) => (major === 4 ? 'get /files/* 200' : 'get /files/*path 200'),
  ],
  [
    'a wildcard in a mount path',
    ({ app, router, major }) =>
      app.use(major === 4 ? '/files/:kind/*' : '/files/:kind/*path', router().all('/', ok)),
    'GET /files/text/b/c.txt',
    (major) => (major === 4 ? 'get /files/:kind/* 200' : 'get /files/:kind/*path 200'),
  ],
  [
    'an optional segment that is there',
    ({ app, major }) => app.get(major === 4 ? '/a/:b?' : '/a{/:b}', ok),
    'GET /a/1',
    (major) => (major === 4 ? 'get /a/:b? 200' : 'get /a{/:b} 200'),
  ],
  [
    'an optional segment that is not',
    ({ app, major }) => app.get(major === 4 ? '/a/:b?' : '/a{/:b}', ok),
    'GET /a',
    (major) => (major === 4 ? 'get /a/:b? 200' : 'get /a{/:b} 200'),
  ],
  [
    'a mounted application',
    ({ app, express }) => {
      const admin = express();
      admin.get('/users/:id', ok);
      app.use('/admin', admin);
    },
    'GET /admin/users/7',
    'get /admin/users/:id 200',
  ],
  [
    'an application mounted in a mounted application',
    ({ app, express }) => {
      const inner = express();
      inner.get('/c/:d', ok);
      app.use('/a/:b', express().use('/inner', inner));
    },
    'GET /a/1/inner/c/2',
    'get /a/:b/inner/c/:d 200',
  ],
  [
    'an application mounted twice, by the first',
    ({ app, express }) => {
      const admin = express();
      admin.get('/x', ok);
      app.use('/a', admin).use('/b', admin);
    },
    'GET /a/x',
    'get /a/x 200',
  ],
  [
    'an application mounted in a router',
    ({ app, express, router }) => {
      const admin = express();
      admin.get('/x', ok);
      app.use('/a', router().use('/b', admin));
    },
    'GET /a/b/x',
    'get /a/b/x 200',
  ],
  [
    'an application made by another copy of Express',
    ({ app, express }) => {
      const other = versions.find((version) => version.express !== express)?.express() as Express;
      other.get('/x/:y', ok);
      app.use('/other', other);
    },
    'GET /other/x/1',
    'get /other/x/:y 200',
  ],
  [
    'a router called from a closure',
    ({ app, router }) => {
      const users = router().get('/users/:id', ok);
      app.use('/api/:tenant', (request, response, next) => users(request, response, next));
    },
    'GET /api/acme/users/7',
    'get /api/:tenant/users/:id 200',
  ],
  [
    'a router with mounts called from a closure',
    ({ app, router }) => {
      const users = router().use('/deep/:er', router().get('/users/:id', ok));
      app.use('/api', (request, response, next) => users(request, response, next));
    },
    'GET /api/deep/1/users/7',
    'get /api/*/users/:id 200',
  ],
  [
    'a file below a mount',
    ({ app, express }) => app.use('/static', express.static(import.meta.dirname)),
    'GET /static/harness.ts',
    'get /static 200',
  ],
  [
    'a file below a mount that is not there',
    ({ app, express }) => app.use('/static', express.static(import.meta.dirname)),
    'GET /static/nothing.ts',
    'get unmatched 404',
  ],
  [
    'a middleware that refuses before the route',
    ({ app }) => {
      app.use('/api/:tenant', refuse(401));
      app.get('/api/:tenant/users', ok);
    },
    'GET /api/acme/users',
    'get /api/:tenant 401',
  ],
  [
    'a middleware for everything that refuses',
    ({ app }) => app.use(refuse(401)).get('/a', ok),
    'GET /a',
    'get unmatched 401',
  ],
  [
    'a handler that passes on, and nobody answers',
    ({ app }) => app.get('/a', pass),
    'GET /a',
    'get unmatched 404',
  ],
  [
    "a handler that passes on to the application's own 404",
    ({ app }) => app.get('/a', pass).use(refuse(404)),
    'GET /a',
    'get unmatched 404',
  ],
  [
    'a handler that passes on beside one for the methods that are left',
    ({ app }) =>
      void app
        .route('/a')
        .get(pass)
        .all((request, response, next) => (request.method === 'GET' ? next() : response.sendStatus(405))),
    'GET /a',
    'get unmatched 404',
  ],
  [
    'a method that a handler for all refuses beside others',
    ({ app }) => void app.route('/a').get(ok).all(refuse(405)),
    'DELETE /a',
    'other unmatched 405',
  ],
  [
    'a method that a handler for all answers beside others',
    ({ app }) => void app.route('/a').get(ok).all(ok),
    'DELETE /a',
    'delete /a 200',
  ],
  [
    'a handler that leaves its route for the next',
    ({ app }) => app.get('/:a', (_q, _r, next) => next('route')).get('/:b', ok),
    'GET /x',
    'get /:b 200',
  ],
  [
    'a handler that leaves its route for nothing',
    ({ app }) => app.get('/:a', (_q, _r, next) => next('route')),
    'GET /x',
    'get unmatched 404',
  ],
  [
    'a handler that leaves its router',
    ({ app, router }) => {
      app.use(
        '/a',
        router().get('/b', (_q, _r, next) => next('router')),
      );
      app.get('/a/:c', ok);
    },
    'GET /a/b',
    'get /a/:c 200',
  ],
  [
    'a route that looks at requests on their way to a mount',
    ({ app, express }) => app.get(/^\/.*$/, pass).use('/static', express.static(import.meta.dirname)),
    'GET /static/harness.ts',
    'get /static 200',
  ],
  [
    'a handler that leaves the answer to a middleware for all',
    ({ app, router }) => {
      const users = router().get('/:id', pass);
      app.use('/api', router().use('/users', users).use(ok));
    },
    'GET /api/users/7',
    'get /api/users/:id 200',
  ],
  [
    'a parameter that is refused',
    ({ app }) =>
      app
        .param('id', (_q, _r, next) => next(Object.assign(new Error('no'), { status: 403 })))
        .get('/users/:id', ok),
    'GET /users/7',
    'get /users/:id 403',
  ],
  [
    'a parameter that makes the route not match',
    ({ app }) => app.param('id', (_q, _r, next) => next('route')).get('/users/:id', ok),
    'GET /users/7',
    'get unmatched 404',
  ],
  [
    'a middleware that rewrites the URL',
    ({ app }) => {
      app.use((request, _response, next) => {
        request.url = request.url.replace('/old', '/new');
        next();
      });
      app.get('/new/:id', ok);
    },
    'GET /old/7',
    'get /new/:id 200',
  ],
  [
    'OPTIONS that Express answers',
    ({ app }) => app.get('/a', ok).post('/a', ok),
    'OPTIONS /a',
    'other unmatched 200',
  ],
  ['OPTIONS with a handler', ({ app }) => app.options('/a', ok), 'OPTIONS /a', 'options /a 200'],
  ['a method without a route', ({ app }) => app.get('/a', ok), 'POST /a', 'other unmatched 404'],
  ['a malformed percent-encoding', ({ app }) => app.get('/a/:b', ok), 'GET /a/%zz', 'get unmatched 400'],
  [
    'a whole URL as the target',
    ({ app }) => app.get('/a/:b', ok),
    'GET http://example.org/a/1',
    'get /a/:b 200',
  ],
  [
    'a whole URL as the target of a router mounted twice',
    ({ app, router }) => {
      const users = router().get(['/x', '/y'], ok);
      app.use('/a', users).use('/b', users);
    },
    'GET http://example.org/b/y?z=1',
    'get /b/y 200',
  ],
  [
    'an asynchronous handler that rejects',
    ({ app, major }) =>
      app.get(
        '/a',
        major === 4
          ? (_q, _r, next) => void Promise.reject(new Error('no')).catch(next)
          : () => Promise.reject(new Error('no')),
      ),
    'GET /a',
    'get /a 500',
  ],
  [
    'a path in other letters',
    ({ app, router }) => app.use('/api', router().get('/a', ok)),
    'GET /API/A',
    'get /api/a 200',
  ],
  ['a slash at the end', ({ app }) => app.get('/a', ok), 'GET /a/', 'get /a 200'],
  ['a path that nobody has', ({ app }) => app.get('/a', ok), 'GET /a/b', 'get unmatched 404'],
];

/** What Express 5.0 to 5.2 do not tell of a mount that was made before anybody looked. */
const hiddenInEarly5: Readonly<Record<string, string>> = {
  'an expression in a mount, known before': 'get (expression)/x 200',
};

let app: TestApp | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

describe.each(versions)('Express $name', ({ name: version, express, major }) => {
  describe.each([
    ['before', false],
    ['after', true],
  ])('instrumented %s its routes', (_when, isLate) => {
    it.each(rows)('counts %s', async (name, build, request, expected) => {
      app = await startApp(
        (application) => void build({ app: application, express, router: express.Router, major }),
        { createApp: express, isLate, warn: () => undefined },
      );
      const wanted = typeof expected === 'function' ? expected(major) : expected;
      const early = version === '5.0' && isLate ? hiddenInEarly5[name] : undefined;
      const client = await connectRaw(app.port);
      // Twice: what the first one taught must hold for the second.
      for (const times of [1, 2]) {
        client.send(`${request} HTTP/1.1\r\nHost: x\r\n\r\n`);
        await client.responses(times);
        expect((await app.settled(times)).durations).toEqual({ [early ?? wanted]: times });
      }
      client.socket.destroy();
    });
  });
});
