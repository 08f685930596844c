/** The path that a request is counted under: that of its route, that of a mount, or unmatched. */
import type { NextFunction, Request, Response } from 'express';
import { fail, ok, pass, refuse, testRows } from './routing.ts';

testRows([
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
    'OPTIONS without a route for it, answered by Express',
    ({ app }) => app.get('/a', ok).post('/a', ok),
    { 'OPTIONS /a': 'other unmatched 200' },
  ],
  [
    'errors of routes',
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
    "an error answered by one of the application's handlers",
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
    'files below a mount, also after a route has passed the request on',
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
    'a middleware without a path that refuses',
    ({ app }) => app.use(refuse(401)).get('/a', ok),
    { 'GET /a': 'get unmatched 401' },
  ],
  [
    'handlers that pass the request on, with no other route left',
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
    "a handler that passes the request on to the application's own 404",
    ({ app }) => app.get('/a', pass).use(refuse(404)),
    { 'GET /a': 'get unmatched 404' },
  ],
  [
    'handlers for all methods, next to a handler for one',
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
    'a handler that leaves the response to a middleware without a path',
    ({ app, router }) => app.use('/api', router().use('/users', router().get('/:id', pass)).use(ok)),
    { 'GET /api/users/7': 'get /api/users/:id 200' },
  ],
  [
    'parameters that are refused, or keep the route from matching',
    ({ app }) => {
      app.param('id', (_q, _r, next) => next(Object.assign(new Error('no'), { status: 403 })));
      app.param('other', (_q, _r, next) => next('route'));
      app.get('/users/:id', ok).get('/others/:other', ok);
    },
    { 'GET /users/7': 'get /users/:id 403', 'GET /others/7': 'get unmatched 404' },
  ],
]);
