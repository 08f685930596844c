/** The labels of routes and mounts, for each way of defining them. */
import type { Express } from 'express';
import { ok, pass, spelled, testRows, versions } from './routing.ts';

testRows([
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
]);
