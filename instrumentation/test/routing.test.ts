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
const fail = (): never => {
  throw new Error('thrown by the test');
};
const refuse = (code: number) => (_request: Request, response: Response) =>
  void response.status(code).send('no');

/** The same in Express 4 and 5. */
const spelled = (major: number) =>
  major === 4 ? { all: '*', optional: '/:b?' } : { all: '*path', optional: '{/:b}' };

interface Build {
  readonly app: Express;
  readonly express: ExpressModule;
  readonly router: () => Router;
  readonly major: number;
}

/** What is built, and for each request line `method path code` as it must be counted. */
type Row = readonly [
  name: string,
  build: (parts: Build) => void,
  expected: Readonly<Record<string, string>> | ((major: number) => Readonly<Record<string, string>>),
];

const rows: readonly Row[] = [
  [
    'paths of routes, in any spelling',
    ({ app }) => void app.get('/', ok).get('/a/b', ok).get('/users/:id', ok).get('/a/:x-:y/z', ok),
    {
      'GET /': 'get / 200',
      'GET /a/b': 'get /a/b 200',
      'HEAD /a/b': 'get /a/b 200',
      'GET /a/b?c=/d/e': 'get /a/b 200',
      'GET /a/b/': 'get /a/b 200',
      'GET /A/B': 'get /a/b 200',
      'GET /a/b/c': 'get unmatched 404',
      'POST /a/b': 'other unmatched 404',
      'GET /users/7': 'get /users/:id 200',
      'GET /users/a%2Fb': 'get /users/:id 200',
      'GET /users/%zz': 'get unmatched 400',
      'GET http://example.org/users/1': 'get /users/:id 200',
      'GET /a/1-2/z': 'get /a/:x-:y/z 200',
    },
  ],
  [
    'several methods',
    ({ app }) =>
      void app.head('/head', ok).options('/options', ok).all('/all', ok).route('/a').get(ok).post(ok),
    {
      'HEAD /head': 'get /head 200',
      'OPTIONS /options': 'options /options 200',
      'GET /a': 'get /a 200',
      'POST /a': 'post /a 200',
      // Answered by Express.
      'OPTIONS /a': 'options unmatched 200',
      'PUT /all': 'put /all 200',
      'PROPFIND /all': 'other /all 200',
    },
  ],
  [
    'OPTIONS that Express answers, where no route has them',
    ({ app }) => app.get('/a', ok).post('/a', ok),
    { 'OPTIONS /a': 'other unmatched 200' },
  ],
  [
    'parameters in mount paths, whatever their values',
    ({ app, router }) => {
      app.use('/api/:tenant', router().get('/users/:id', ok).get('/users', ok));
      app.use('/:a/x/:b', router().get('/users', ok));
    },
    {
      'GET /api/acme/users/7': 'get /api/:tenant/users/:id 200',
      'GET /api/api/users': 'get /api/:tenant/users 200',
      'GET /x/x/x/users': 'get /:a/x/:b/users 200',
    },
  ],
  [
    'routers in routers, behind a middleware, and without a path',
    ({ app, router }) => {
      app.use('/a', router().use('/b/:c', router().use('/d', router().get('/e', ok))));
      app.use('/root', pass, router().get('/', ok).get('/b', ok)).use(router().get('/bare', ok));
    },
    {
      'GET /a/b/1/d/e': 'get /a/b/:c/d/e 200',
      'GET /root': 'get /root 200',
      'GET /root/b': 'get /root/b 200',
      'GET /bare': 'get /bare 200',
      'GET /ROOT/B': 'get /root/b 200',
    },
  ],
  [
    'errors, whoever answers them',
    ({ app, router }) => {
      app.use('/a/:b', router().get('/c', fail));
      app.get('/gone', (_q, _r, next) => next(Object.assign(new Error('gone'), { status: 410 })));
      app.get('/rejects', (_q, _r, next) => void Promise.reject(new Error('no')).catch(next));
      app.get('/users/:id', refuse(404));
    },
    {
      'GET /a/1/c': 'get /a/:b/c 500',
      'GET /gone': 'get /gone 410',
      'GET /rejects': 'get /rejects 500',
      'GET /users/7': 'get /users/:id 404',
    },
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
          void response.sendStatus(503),
      );
    },
    { 'GET /a/b': 'get /a/b 503' },
  ],
  [
    'a handler that rejects',
    ({ app, major }) =>
      app.get('/a', major === 4 ? (_q, r) => void r.sendStatus(500) : () => Promise.reject(new Error('no'))),
    { 'GET /a': 'get /a 500' },
  ],
  [
    'the same router mounted twice, with several paths in it',
    ({ app, router }) => {
      const users = router().get('/users/:id', ok).get(['/x', '/y'], ok);
      app.use('/v1', users).use('/v2', users);
    },
    {
      'GET /v1/users/7': 'get /v1/users/:id 200',
      'GET /v2/users/7': 'get /v2/users/:id 200',
      'GET http://example.org/v2/y?z=1': 'get /v2/y 200',
    },
  ],
  [
    'arrays of paths',
    ({ app, router }) => app.get(['/a', '/b/:c'], ok).use(['/m', '/n/:o'], router().get('/x', ok)),
    {
      'GET /a': 'get /a 200',
      'GET /b/1': 'get /b/:c 200',
      'GET /m/x': 'get /m/x 200',
      'GET /n/1/x': 'get /n/:o/x 200',
    },
  ],
  [
    'expressions',
    ({ app, router }) => app.get(/^\/ab+c$/, ok).use(/^\/v\d+/, router().get('/x', ok)),
    { 'GET /abbbc': 'get /^\\/ab+c$/ 200', 'GET /v12/x': 'get /^\\/v\\d+//x 200' },
  ],
  [
    'wildcards and optional segments',
    ({ app, router, major }) => {
      const { all, optional } = spelled(major);
      app.get(`/files/${all}`, ok).get(`/a${optional}`, ok).use(`/kinds/:kind/${all}`, router().all('/', ok));
    },
    (major) => {
      const { all, optional } = spelled(major);
      return {
        'GET /files/a/b/c.txt': `get /files/${all} 200`,
        'GET /kinds/text/b/c.txt': `get /kinds/:kind/${all} 200`,
        'GET /a/1': `get /a${optional} 200`,
        'GET /a': `get /a${optional} 200`,
      };
    },
  ],
  [
    'mounted applications',
    ({ app, express, router }) => {
      const other = versions.find((version) => version.express !== express)?.express() as Express;
      const admin = express().get('/users/:id', ok) as Express;
      app
        .use('/admin', admin)
        .use('/again', admin)
        .use('/r', router().use('/b', express().get('/x', ok)));
      app.use('/a/:b', express().use('/inner', express().get('/c/:d', ok)));
      app.use('/other', other.get('/x/:y', ok));
    },
    {
      'GET /admin/users/7': 'get /admin/users/:id 200',
      'GET /a/1/inner/c/2': 'get /a/:b/inner/c/:d 200',
      'GET /again/users/7': 'get /again/users/:id 200',
      'GET /r/b/x': 'get /r/b/x 200',
      'GET /other/x/1': 'get /other/x/:y 200',
    },
  ],
  [
    'routers called from closures',
    ({ app, router }) => {
      const users = router().get('/users/:id', ok);
      const deep = router().use('/deep/:er', router().get('/users/:id', ok));
      app.use('/api/:tenant', (request, response, next) => users(request, response, next));
      app.use('/v1', (request, response, next) => deep(request, response, next));
    },
    {
      'GET /api/acme/users/7': 'get /api/:tenant/users/:id 200',
      'GET /v1/deep/1/users/7': 'get /v1/*/users/:id 200',
    },
  ],
  [
    'files below a mount, which a route has looked at before',
    ({ app, express }) =>
      app.get(/^\/look\/.*$/, pass).use(['/static', '/look'], express.static(import.meta.dirname)),
    {
      'GET /static/harness.ts': 'get /static 200',
      'GET /static/nothing.ts': 'get unmatched 404',
      'GET /look/harness.ts': 'get /look 200',
    },
  ],
  [
    'a middleware that refuses before the route',
    ({ app }) => app.use('/api/:tenant', refuse(401)).get('/api/:tenant/users', ok),
    { 'GET /api/acme/users': 'get /api/:tenant 401' },
  ],
  [
    'a middleware for everything that refuses',
    ({ app }) => app.use(refuse(401)).get('/a', ok),
    { 'GET /a': 'get unmatched 401' },
  ],
  [
    'handlers that pass on to no route',
    ({ app }) => {
      app.get('/a', pass).get('/:leaves', (_q, _r, next) => next('route'));
      app
        .route('/b')
        .get(pass)
        .all((q, r, next) => void (q.method === 'GET' ? next() : r.sendStatus(405)));
    },
    { 'GET /a': 'get unmatched 404', 'GET /b': 'get unmatched 404', 'GET /x': 'get unmatched 404' },
  ],
  [
    "a handler that passes on to the application's own 404",
    ({ app }) => app.get('/a', pass).use(refuse(404)),
    { 'GET /a': 'get unmatched 404' },
  ],
  [
    'handlers for all methods, next to others',
    ({ app }) => {
      app.route('/refuses').get(ok).all(refuse(405));
      app.route('/answers').get(ok).all(ok);
    },
    { 'DELETE /refuses': 'other unmatched 405', 'DELETE /answers': 'delete /answers 200' },
  ],
  [
    'handlers that leave their route or router for another',
    ({ app, router }) => {
      app.get('/:a', (_q, _r, next) => next('route')).get('/:b', ok);
      app
        .use(
          '/r',
          router().get('/b', (_q, _r, next) => next('router')),
        )
        .get('/r/:c', ok);
    },
    { 'GET /x': 'get /:b 200', 'GET /r/b': 'get /r/:c 200' },
  ],
  [
    'a handler that leaves the answer to a middleware for all',
    ({ app, router }) => app.use('/api', router().use('/users', router().get('/:id', pass)).use(ok)),
    { 'GET /api/users/7': 'get /api/users/:id 200' },
  ],
  [
    'parameters that are refused, or make the route not match',
    ({ app }) => {
      app.param('id', (_q, _r, next) => next(Object.assign(new Error('no'), { status: 403 })));
      app.param('other', (_q, _r, next) => next('route'));
      app.get('/users/:id', ok).get('/others/:other', ok);
    },
    { 'GET /users/7': 'get /users/:id 403', 'GET /others/7': 'get unmatched 404' },
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
    { 'GET /old/7': 'get /new/:id 200' },
  ],
];

/** What Express 5.0 to 5.2 do not tell of a mount that was made before the package could see it. */
const LATE_IN_EARLY_5: Readonly<Record<string, string>> = {
  'get /^\\/v\\d+//x 200': 'get (expression)/x 200',
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
    it.each(rows)('counts %s', async (_name, build, given) => {
      app = await startApp(
        (application) => void build({ app: application, express, router: express.Router, major }),
        { createApp: express, isLate, warn: () => undefined },
      );
      const expected: Record<string, number> = {};
      const client = await connectRaw(app.port);
      let sent = 0;
      // Twice: what the first one taught must hold for the second.
      for (const _ of [1, 2]) {
        for (const [request, wanted] of Object.entries(typeof given === 'function' ? given(major) : given)) {
          const series = version === '5.0' && isLate ? (LATE_IN_EARLY_5[wanted] ?? wanted) : wanted;
          expected[series] = (expected[series] ?? 0) + 1;
          client.send(`${request} HTTP/1.1\r\nHost: x\r\n\r\n`);
          await client.responses(++sent);
        }
        expect((await app.settled(sent)).durations).toEqual(expected);
      }
      client.socket.destroy();
    });
  });
});
