/** The applications that every variant instruments, in plain Express, and their traffic. */
import { type Express, type RequestHandler, Router } from 'express';
import { routes } from '../../../app/src/routes.ts';

export interface Subject {
  readonly routes: readonly { readonly method: 'get' | 'post' | 'patch' | 'delete'; readonly path: string }[];
  /** Adds the routes to `app`, and a response for all other requests. */
  readonly build: (app: Express) => void;
  /** One cycle of the traffic: `GET /products`. One request in six gets a 404. */
  readonly mix: readonly string[];
}

const notFound: RequestHandler = (_request, response) => {
  response.status(404).type('text/plain').send('page not found');
};

const nine: Subject = {
  routes,
  build(app) {
    for (const { method, path, handler } of routes) app[method](path, handler);
    app.use(notFound);
  },
  mix: ['POST /products', 'GET /products', 'GET /cart', 'POST /cart', 'GET /cars/7', 'GET /missing'],
};

const text: RequestHandler = (_request, response) => {
  response.type('text/plain').send('done');
};

/** Six routes of a resource: the usual five, and a nested list. */
const RESOURCE = [
  { method: 'get', path: '/' },
  { method: 'post', path: '/' },
  { method: 'get', path: '/:id' },
  { method: 'patch', path: '/:id' },
  { method: 'delete', path: '/:id' },
  { method: 'get', path: '/:id/orders' },
] as const;

/** An application with six routes per resource, in nested routers. */
export function large(resources: number): Subject {
  const names = Array.from({ length: resources }, (_, n) => `/resource-${n}`);
  const asked = [0.12, 0.48, 0.84].map((share) => Math.floor(share * resources));
  return {
    routes: names.flatMap((name) =>
      RESOURCE.map(({ method, path }) => ({ method, path: `/api${name}${path}` })),
    ),
    build(app) {
      const api = Router();
      for (const name of names) {
        const router = Router();
        for (const { method, path } of RESOURCE) router[method](path, text);
        api.use(name, router);
      }
      app.use('/api', api);
      app.use(notFound);
    },
    mix: asked.flatMap((n) => [
      `GET /api/resource-${n}`,
      `POST /api/resource-${n}`,
      `GET /api/resource-${n}/7`,
      `PATCH /api/resource-${n}/7`,
      `GET /api/resource-${n}/7/orders`,
      `GET /missing-${n}`,
    ]),
  };
}

/** By number of routes. */
export const subjects: Readonly<Record<string, Subject>> = { 9: nine, 150: large(25), 1002: large(167) };
