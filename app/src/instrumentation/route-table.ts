/**
 * What a route table is, and how one becomes Express routes and label values. The table itself is `routes.ts`.
 * Labels come from the table's path templates and never from a request, so that no client can create a series.
 */
import { type IRouter, type RequestHandler, Router } from 'express';

/** The methods that a route may have. HEAD is not among them: it is answered by the GET route and counted as `get`. */
export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete' | 'options';

/** One row: a method of a path, what it answers, and the status codes that it declares (each becomes a series). */
export interface Route {
  readonly method: Method;
  /** Express path template, relative to the group: `/cars/:id`. */
  readonly path: string;
  /** The codes that `handler` sends, each 100-599. 499 and 500 exist for every route and need not be listed. */
  readonly codes: readonly number[];
  readonly handler: RequestHandler | readonly RequestHandler[];
}

/** Routes below a common prefix, which may have parameters of its own. Groups nest. */
export interface RouteGroup {
  /** Express path template of the prefix; empty for the root. */
  readonly path: string;
  /** What the (decoded) value of a parameter must look like; a path whose value differs is not found. */
  readonly params?: Readonly<Record<string, RegExp>>;
  readonly routes: readonly (Route | RouteGroup)[];
}

/** The label values of one row. */
export interface RouteLabels {
  /** The full template without its leading slash: `cars/:id`. */
  readonly path: string;
  readonly method: Method;
  readonly codes: readonly number[];
}

/** Express matching as the table states it: case counts, a trailing slash counts, parents' parameters are visible. */
const exactly = { caseSensitive: true, strict: true, mergeParams: true };

/** The label values of every row of `group`, in the table's order. */
export function toRouteLabels(group: RouteGroup, prefix = ''): RouteLabels[] {
  return group.routes.flatMap((entry): RouteLabels[] => {
    if (isGroup(entry)) return toRouteLabels(entry, prefix + group.path);
    return [{ path: toLabel(prefix + group.path + entry.path), method: entry.method, codes: entry.codes }];
  });
}

/**
 * Mounts `group` on `router` (an Express application or router with case-sensitive, strict routing). A known path with
 * a method it lacks is answered 405 with `Allow`. Where several paths match, the first in the table does.
 * @param before handlers to run before each row's own, given that row's label values
 */
export function mountRoutes(
  router: IRouter,
  group: RouteGroup,
  before: (path: string, method: Method) => readonly RequestHandler[],
  prefix = '',
): void {
  for (const [name, pattern] of Object.entries(group.params ?? {})) {
    router.param(name, (_request, _response, next, value: string) =>
      next(pattern.test(value) ? undefined : 'route'),
    );
  }
  const template = prefix + group.path;
  const mounted = new Set<string>();
  for (const entry of group.routes) {
    if (isGroup(entry)) {
      const child = Router(exactly);
      mountRoutes(child, entry, before, template);
      router.use(entry.path, child);
    } else if (!mounted.has(entry.path)) {
      mounted.add(entry.path);
      const rows = group.routes.filter((row): row is Route => !isGroup(row) && row.path === entry.path);
      const route = router.route(entry.path);
      for (const { method, path, handler } of rows) {
        route[method](...before(toLabel(template + path), method), ...[handler].flat());
      }
      route.all(methodNotAllowed(rows.map((row) => row.method)));
    }
  }
}

function methodNotAllowed(methods: readonly Method[]): RequestHandler {
  const allowed = methods
    .flatMap((method) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]))
    .join(', ');
  return (_request, response) => {
    response.status(405).set('Allow', allowed).type('text/plain').send('method not allowed');
  };
}

function isGroup(entry: Route | RouteGroup): entry is RouteGroup {
  return 'routes' in entry;
}

function toLabel(template: string): string {
  return template.replace(/^\/(?=.)/, '');
}
