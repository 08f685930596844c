/** A published application, instrumented without a change to it. */
import { createRequire } from 'node:module';
import { expect, it } from '@jest/globals';
import type { Express } from 'express';
import { serve, type TestApp } from './harness.ts';

const require = createRequire(import.meta.url);

/** Sends each request of `rows` once. @returns the counts, and those that the rows expect, by `method path code` */
async function exchange(to: TestApp, rows: readonly (readonly [request: string, expected: string])[]) {
  const expected: Record<string, number> = {};
  for (const [request, series] of rows) {
    const [method = '', path, body] = request.split(' ');
    const headers = body ? { 'content-type': 'application/json' } : {};
    await (await fetch(to.url + path, { method, headers, ...(body ? { body } : {}) })).arrayBuffer();
    expected[series] = (expected[series] ?? 0) + 1;
  }
  return { counted: (await to.settled(rows.length)).durations, expected };
}

it('json-server: a router per resource, rewritten URLs, and one middleware that sends every response', async () => {
  const jsonServer = require('json-server') as {
    create(): Express;
    defaults(options: object): never;
    router(data: object): never;
    rewriter(rules: object): never;
  };
  const application = jsonServer.create();
  application.use(jsonServer.defaults({ logger: false }));
  application.use(jsonServer.rewriter({ '/blog/:slug': '/posts?title=:slug' }));
  const data = {
    posts: [{ id: 1, title: 'one' }],
    comments: [{ id: 1, postId: 1 }],
    profile: { name: 'typicode' },
  };
  application.use('/api', jsonServer.router(data));
  application.use(jsonServer.router(data));
  application.set('env', 'test');
  const running = await serve(application);
  // Before any request, every resource is exposed at 0, under both mounts.
  expect((await running.scrape('http_requests_total')).match(/path="[^"]*"/g)).toEqual(
    expect.arrayContaining(
      [
        '/api/posts',
        '/api/posts/:id',
        '/posts',
        '/posts/:id',
        '/profile',
        '/db',
        '/:resource/:id/:nested',
      ].map((path) => `path="${path}"`),
    ),
  );
  const { counted, expected } = await exchange(running, [
    ['GET /posts', 'get /posts 200'],
    ['GET /posts?title=one', 'get /posts 200'],
    ['POST /posts {"title":"two"}', 'post /posts 201'],
    ['GET /posts/1', 'get /posts/:id 200'],
    ['PUT /posts/1 {"title":"1"}', 'put /posts/:id 200'],
    ['PATCH /posts/1 {"title":"1"}', 'patch /posts/:id 200'],
    ['DELETE /posts/2', 'delete /posts/:id 200'],
    ['GET /profile', 'get /profile 200'],
    ['PUT /profile {"name":"x"}', 'put /profile 200'],
    ['GET /db', 'get /db 200'],
    // Rewritten to /comments?postId=1 by a route that passes it on, and to /posts?title=one by a middleware.
    ['GET /posts/1/comments', 'get /comments 200'],
    ['GET /blog/one', 'get /posts 200'],
    ['GET /__rules', 'get /__rules 200'],
    ['GET /api/posts/1', 'get /api/posts/:id 200'],
    ['POST /api/comments {"postId":1}', 'post /api/comments 201'],
    ['GET /api/profile', 'get /api/profile 200'],
    // The page of its public folder, served by a middleware without a path.
    ['GET /', 'get unmatched 200'],
    ['GET /nowhere', 'get unmatched 404'],
    ['GET /posts/999', 'get unmatched 404'],
    ['OPTIONS /posts', 'other unmatched 204'],
  ]);
  expect(counted).toEqual(expected);
});
