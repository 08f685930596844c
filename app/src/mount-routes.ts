/** Adds features that Express lacks: parameters with a pattern, and 405 with `Allow` for other methods of a known path. */
import type { Express, RequestHandler } from 'express';
import { parameters, type Route } from './routes.ts';

/** @param before handlers that run before the handler of each route */
export function mountRoutes(
  app: Express,
  routes: readonly Route[],
  before: readonly RequestHandler[] = [],
): void {
  for (const [name, pattern] of Object.entries(parameters)) {
    app.param(name, (_request, _response, next, value: string) =>
      next(pattern.test(value) ? undefined : 'route'),
    );
  }
  for (const path of new Set(routes.map((route) => route.path))) {
    const own = routes.filter((route) => route.path === path);
    const route = app.route(path);
    for (const { method, handler } of own) route[method](...before, handler);
    route.all(refuseOthers(own.map(({ method }) => method)));
  }
}

/** 405 for every method except `methods`. If a handler calls next(), the next matching path or the final 404 handler responds. */
function refuseOthers(methods: readonly string[]): RequestHandler {
  const allowed = methods.flatMap((method) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
  return (request, response, next) => {
    if (allowed.includes(request.method)) return next();
    response.status(405).set('Allow', allowed.join(', ')).type('text/plain').send('method not allowed');
  };
}
