/**
 * The routes of an application, read from the stacks of its routers: for each layer of a route, all the templates under
 * which it can be reached, and for each mount its own. Only reads; what is done with a route is said by whoever asks.
 */
import { type Alternative, alternativesOf, learnPattern } from './patterns.ts';
import type { Application, Layer, Pattern, Request, Route, Router } from './types.ts';

/** The mounts on the way to something, outermost first, each with its alternative paths. */
export type MountPath = readonly (readonly Alternative[])[];

/** One template under which a route or a mount is reached, and how to tell that a request came by it. */
export interface RoutePath {
  readonly template: string;
  readonly mounts: readonly Alternative[];
  /** The route's own path; undefined for a mount. */
  readonly own: Alternative | undefined;
}

/** A route's layer, and all the paths under which it is reached. */
export interface MappedRoute {
  readonly layer: Layer;
  readonly route: Route;
  readonly mountPaths: readonly MountPath[];
  /** Those whose templates are known. */
  readonly paths: readonly RoutePath[];
  readonly isPartial: boolean;
}

export interface RouteMap {
  readonly routes: readonly MappedRoute[];
  /** What `use` has mounted anywhere but at `/`. */
  readonly mounts: readonly RoutePath[];
  readonly byRoute: ReadonlyMap<Route, MappedRoute>;
  /** The mount paths whose templates are not known yet. */
  readonly unknown: readonly MountPath[];
  /** Layers that mount an application of which nothing is known. */
  readonly hidden: readonly Layer[];
  /** Number of layers, to see that there are more. */
  readonly size: number;
}

/** What is known beside the stacks. */
export interface ObservedMounts {
  /** What `use` of an application was called with, by layer. */
  readonly givenPaths: WeakMap<Layer, unknown>;
  /** The applications mounted by a layer. */
  readonly applications: WeakMap<Layer, Application>;
  /** Alternatives of the layers seen before, with what was learnt of them. */
  readonly alternatives: WeakMap<Layer, readonly Alternative[]>;
  /** The applications whose `use` is seen. */
  readonly watched: WeakSet<Application>;
  /** What ends the watch over them. */
  readonly unwatch: (() => void)[];
}

export function createObservedMounts(): ObservedMounts {
  return {
    givenPaths: new WeakMap(),
    applications: new WeakMap(),
    alternatives: new WeakMap(),
    watched: new WeakSet(),
    unwatch: [],
  };
}

/**
 * The router of `app`, if it has one. Express 5 makes it at the first look, with the settings of that moment, which the
 * application may yet change; a look that is refused those settings finds out without making one.
 */
export function routerOf(app: Application): Router | undefined {
  // Express 4, whose getter `router` throws.
  if (app.lazyrouter) return app._router;
  const { enabled } = app;
  app.enabled = () => {
    throw new Error('there is no router yet');
  };
  try {
    return app.router;
  } catch {
    return undefined;
  } finally {
    app.enabled = enabled;
  }
}

/** Whether `handler` is an Express application itself. */
export function isApplication(handler: unknown): handler is Application {
  return typeof handler === 'function' && 'handle' in handler && 'set' in handler;
}

/** Whether `layer` mounts an application that was not seen when it was mounted. */
export const hidesApplication = (layer: Layer, { applications }: ObservedMounts) =>
  layer.name === 'mounted_app' && !applications.has(layer);

export function readRoutes(root: Router, observed: ObservedMounts): RouteMap {
  const found = new Map<Layer, { route: Route; mountPaths: MountPath[] }>();
  const mounts: RoutePath[] = [];
  const unknown: MountPath[] = [];
  const hidden: Layer[] = [];
  let size = 0;

  function walk(router: Router, mountPath: MountPath, above: ReadonlySet<Router>): void {
    for (const layer of router.stack) {
      size++;
      const { route } = layer;
      if (route) {
        const known = found.get(layer);
        if (known) known.mountPaths.push(mountPath);
        else found.set(layer, { route, mountPaths: [mountPath] });
        continue;
      }
      const own = alternativesSeen(layer, observed);
      const isRoot = own.every(({ pattern }) => pattern === '/' || pattern === '');
      const below = isRoot ? mountPath : [...mountPath, own];
      const paths = isRoot ? [] : combine(below).map((all) => toRoutePath(all, undefined));
      if (paths.includes(undefined)) unknown.push(below);
      mounts.push(...paths.filter((routePath) => routePath !== undefined));
      if (hidesApplication(layer, observed)) hidden.push(layer);
      const nested = nestedRouter(layer, observed);
      if (nested && !above.has(nested)) walk(nested, below, new Set([...above, nested]));
    }
  }

  walk(root, [], new Set([root]));
  const routes = [...found].map(([layer, { route, mountPaths }]) =>
    toMappedRoute(layer, route, mountPaths, observed),
  );
  return {
    routes,
    mounts,
    unknown,
    hidden,
    size,
    byRoute: new Map(routes.map((mapped) => [mapped.route, mapped])),
  };
}

/** The number of layers below `root`, as {@link RouteMap.size}. */
export function countLayers(
  root: Router,
  observed: ObservedMounts,
  above: readonly Router[] = [root],
): number {
  let size = root.stack.length;
  for (const layer of root.stack) {
    const router = layer.route ? undefined : nestedRouter(layer, observed);
    if (router && !above.includes(router)) size += countLayers(router, observed, [...above, router]);
  }
  return size;
}

/** What mounts within the application have consumed of the URL, where those outside of it have consumed `outerBaseUrl`. */
export function baseOf({ baseUrl = '' }: Request, outerBaseUrl: string): string {
  return baseUrl.slice(outerBaseUrl.length);
}

/** The path of `mapped` by which `request` has come; the first where that cannot be told. */
export function pathTaken(
  mapped: MappedRoute,
  request: Request,
  outerBaseUrl: string,
): RoutePath | undefined {
  const { paths } = mapped;
  if (paths.length <= 1) return paths[0];
  const base = baseOf(request, outerBaseUrl);
  const path = pathOf(request.url);
  return paths.find((routePath) => leadsTo(routePath, base, path)) ?? paths[0];
}

/** Whether a request whose mounts have consumed `baseUrl`, and that has `path` left, can have come by `routePath`. */
export function leadsTo(routePath: RoutePath, baseUrl: string, path: string): boolean {
  return (
    consume(routePath.mounts, baseUrl) === '' && (!routePath.own || routePath.own.match(path) !== undefined)
  );
}

/** What is left of `baseUrl` after `mounts`; undefined where they do not match. */
export function consume(mounts: readonly Alternative[], baseUrl: string): string | undefined {
  let rest = baseUrl;
  for (const mount of mounts) {
    const matched = mount.match(rest || '/');
    if (matched === undefined) return undefined;
    rest = rest.slice(matched.replace(/\/$/, '').length);
  }
  return rest;
}

/** Learns the patterns of the mounts on `mountPaths` that a request has passed. @returns whether any was new */
export function learnMountPaths(mountPaths: readonly MountPath[], base: string): boolean {
  let learnt = false;
  for (const mountPath of mountPaths) {
    let rest = base;
    for (const alternatives of mountPath) {
      const own = alternatives.find(({ match }) => match(rest || '/') !== undefined);
      if (!own) break;
      if (own.pattern === undefined) {
        own.pattern = learnPattern(own, rest || '/');
        learnt ||= own.pattern !== undefined;
      }
      rest = consume([own], rest) ?? '';
    }
  }
  return learnt;
}

/** The path of a request target, also where that is a whole URL. */
export function pathOf(url = '/'): string {
  const [target = '/'] = url.split('?', 1);
  if (target.startsWith('/')) return target;
  const host = target.indexOf('://');
  const slash = host < 0 ? -1 : target.indexOf('/', host + 3);
  return slash < 0 ? '/' : target.slice(slash);
}

function toMappedRoute(
  layer: Layer,
  route: Route,
  mountPaths: readonly MountPath[],
  observed: ObservedMounts,
): MappedRoute {
  const own = alternativesSeen(layer, observed);
  const paths = mountPaths
    .flatMap(combine)
    .flatMap((mounts) => own.map((alternative) => toRoutePath(mounts, alternative)));
  const known = paths.filter((routePath) => routePath !== undefined);
  return { layer, route, mountPaths, paths: known, isPartial: known.length < paths.length };
}

function toRoutePath(mounts: readonly Alternative[], own: Alternative | undefined): RoutePath | undefined {
  const patterns = [...mounts, ...(own ? [own] : [])].map(({ pattern }) => pattern);
  return patterns.includes(undefined) ? undefined : { template: join(patterns as Pattern[]), mounts, own };
}

/** `/api` and `/users/:id` to `/api/users/:id`; an expression is shown as it is. */
function join(patterns: readonly Pattern[]): string {
  const template = patterns.reduce<string>((prefix, pattern) => {
    const piece = String(pattern).replace(pattern instanceof RegExp ? /$^/ : /\/+$/, '');
    return piece === '' || piece.startsWith('/') || prefix === '' ? prefix + piece : `${prefix}/${piece}`;
  }, '');
  return template === '' ? '/' : template;
}

/** Every combination of the alternatives of `mountPath`. */
function combine(mountPath: MountPath): Alternative[][] {
  return mountPath.reduce<Alternative[][]>(
    (found, alternatives) => found.flatMap((mounts) => alternatives.map((own) => [...mounts, own])),
    [[]],
  );
}

function alternativesSeen(layer: Layer, observed: ObservedMounts): readonly Alternative[] {
  let seen = observed.alternatives.get(layer);
  if (!seen) {
    seen = alternativesOf(layer, observed.givenPaths.get(layer));
    observed.alternatives.set(layer, seen);
  }
  return seen;
}

/** What a mount leads into: a router, or the router of a mounted application. */
function nestedRouter(layer: Layer, observed: ObservedMounts): Router | undefined {
  if (Array.isArray(layer.handle.stack)) return layer.handle as unknown as Router;
  const application = isApplication(layer.handle) ? layer.handle : observed.applications.get(layer);
  return application && routerOf(application);
}
