/** Reads the routes of an application from the stacks of its routers, each with all paths that lead to it. */
import { type MountPath, type RoutePath, toPaths } from './mount-path.ts';
import { type Alternative, alternativesOf } from './patterns.ts';
import type { Application, Layer, Route, Router } from './types.ts';

/** A route's layer, and all paths that lead to it. */
export interface MappedRoute {
  readonly layer: Layer;
  readonly route: Route;
  readonly mountPaths: readonly MountPath[];
  /** The paths whose templates are known. */
  readonly paths: readonly RoutePath[];
  readonly isPartial: boolean;
}

export interface RouteMap {
  readonly routes: readonly MappedRoute[];
  readonly byRoute: ReadonlyMap<Route, MappedRoute>;
  /** The paths of mounts, except those at `/`. */
  readonly mounts: readonly RoutePath[];
  /** The mount paths whose templates are not known yet. */
  readonly unknown: readonly MountPath[];
  /** Whether any mounted applications are still unknown. */
  readonly hasHidden: boolean;
  /** The number of layers, which grows when layers are added. */
  readonly size: number;
}

/** Information about mounts that the stacks do not contain. */
export interface ObservedMounts {
  /** The arguments of an application's `use`, by layer. */
  readonly givenPaths: WeakMap<Layer, unknown>;
  /** The applications that a layer mounts. */
  readonly applications: WeakMap<Layer, Application>;
  /** The alternatives of known layers, including the patterns learnt for them. */
  readonly alternatives: WeakMap<Layer, readonly Alternative[]>;
}

export function createObservedMounts(): ObservedMounts {
  return { givenPaths: new WeakMap(), applications: new WeakMap(), alternatives: new WeakMap() };
}

/**
 * The router of `app`, if it has one. Express 5 creates it at the first access, with the settings of that moment, which the
 * application may still change. To avoid creating one, this access makes reading the settings fail.
 */
export function routerOf(app: Application): Router | undefined {
  // In Express 4, the getter `router` throws.
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

export function readRoutes(root: Router, observed: ObservedMounts): RouteMap {
  const mountPaths = new Map<Layer, MountPath[]>();
  const mounts: RoutePath[] = [];
  const unknown: MountPath[] = [];
  let hasHidden = false;
  let size = 0;
  for (const [layer, mountPath] of layersBelow(root, observed)) {
    size++;
    if (layer.route) {
      mountPaths.set(layer, [...(mountPaths.get(layer) ?? []), mountPath]);
      continue;
    }
    const below = belowMount(layer, mountPath, observed);
    const paths = below === mountPath ? [] : toPaths(below);
    if (paths.includes(undefined)) unknown.push(below);
    mounts.push(...paths.filter((path) => path !== undefined));
    hasHidden ||= layer.name === 'mounted_app' && !observed.applications.has(layer);
  }
  const routes = Array.from(mountPaths, ([layer, own]) => toMappedRoute(layer, own, observed));
  const byRoute = new Map(routes.map((mapped) => [mapped.route, mapped]));
  return { routes, byRoute, mounts, unknown, hasHidden, size };
}

/** The number of layers below `root`, as in {@link RouteMap.size}. */
export function countLayers(root: Router, observed: ObservedMounts): number {
  let size = 0;
  for (const _ of layersBelow(root, observed)) size++;
  return size;
}

/** Every layer of `router` and of the routers mounted in it, with the mounts that lead to it. */
function* layersBelow(
  router: Router,
  observed: ObservedMounts,
  mountPath: MountPath = [],
  above: readonly Router[] = [router],
): Generator<readonly [Layer, MountPath]> {
  for (const layer of router.stack) {
    yield [layer, mountPath];
    const nested = layer.route ? undefined : nestedRouter(layer, observed);
    if (nested && !above.includes(nested))
      yield* layersBelow(nested, observed, belowMount(layer, mountPath, observed), [...above, nested]);
  }
}

/** `mountPath` itself for a mount at `/`. */
function belowMount(layer: Layer, mountPath: MountPath, observed: ObservedMounts): MountPath {
  const own = alternativesSeen(layer, observed);
  return own.every(({ pattern }) => pattern === '/' || pattern === '') ? mountPath : [...mountPath, own];
}

function toMappedRoute(
  layer: Layer,
  mountPaths: readonly MountPath[],
  observed: ObservedMounts,
): MappedRoute {
  const own = alternativesSeen(layer, observed);
  const all = mountPaths.flatMap((mountPath) => toPaths(mountPath, own));
  const paths = all.filter((path) => path !== undefined);
  return { layer, route: layer.route as Route, mountPaths, paths, isPartial: paths.length < all.length };
}

function alternativesSeen(layer: Layer, observed: ObservedMounts): readonly Alternative[] {
  let seen = observed.alternatives.get(layer);
  if (!seen) {
    seen = alternativesOf(layer, observed.givenPaths.get(layer));
    observed.alternatives.set(layer, seen);
  }
  return seen;
}

/** The target of a mount: a router, or the router of a mounted application. */
function nestedRouter(layer: Layer, observed: ObservedMounts): Router | undefined {
  if (Array.isArray(layer.handle.stack)) return layer.handle as unknown as Router;
  const application = isApplication(layer.handle) ? layer.handle : observed.applications.get(layer);
  return application && routerOf(application);
}
