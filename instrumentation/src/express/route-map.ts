/**
 * The routes of an application, read from the stacks of its routers: for each layer of a route, all the templates under
 * which it can be reached, and for each mount its own. Only reads; what is done with a route is said by whoever asks.
 */
import { type Alternative, alternativesOf, learnPattern } from './patterns.ts';
import type { Application, Layer, Pattern, Request, Route, Router } from './types.ts';

/** The mounts on the way to something, outermost first, each with its alternative paths. */
export type Trail = readonly (readonly Alternative[])[];

/** One template under which a route or a mount is reached, and how to tell that a request came by it. */
export interface Place {
  readonly template: string;
  readonly mounts: readonly Alternative[];
  /** The route's own path; undefined for a mount. */
  readonly own: Alternative | undefined;
}

/** A route's layer, and all the places where it is. */
export interface Entry {
  readonly layer: Layer;
  readonly route: Route;
  readonly trails: readonly Trail[];
  /** Those whose templates are known. */
  readonly places: readonly Place[];
  readonly isPartial: boolean;
}

export interface RouteMap {
  readonly entries: readonly Entry[];
  /** What `use` has mounted anywhere but at `/`. */
  readonly mounts: readonly Place[];
  readonly byRoute: ReadonlyMap<Route, Entry>;
  /** The ways to mounts whose templates are not known yet. */
  readonly unknown: readonly Trail[];
  /** Layers that mount an application of which nothing is known. */
  readonly hidden: readonly Layer[];
  /** Number of layers, to see that there are more. */
  readonly size: number;
}

/** What is known beside the stacks. */
export interface Sightings {
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

export function createSightings(): Sightings {
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
export const hidesApplication = (layer: Layer, { applications }: Sightings) =>
  layer.name === 'mounted_app' && !applications.has(layer);

export function readRoutes(root: Router, sightings: Sightings): RouteMap {
  const found = new Map<Layer, { route: Route; trails: Trail[] }>();
  const mounts: Place[] = [];
  const unknown: Trail[] = [];
  const hidden: Layer[] = [];
  let size = 0;

  function walk(router: Router, trail: Trail, above: ReadonlySet<Router>): void {
    for (const layer of router.stack) {
      size++;
      const { route } = layer;
      if (route) {
        const known = found.get(layer);
        if (known) known.trails.push(trail);
        else found.set(layer, { route, trails: [trail] });
        continue;
      }
      const own = alternativesSeen(layer, sightings);
      const isRoot = own.every(({ pattern }) => pattern === '/' || pattern === '');
      const below = isRoot ? trail : [...trail, own];
      const places = isRoot ? [] : combine(below).map((way) => toPlace(way, undefined));
      if (places.includes(undefined)) unknown.push(below);
      mounts.push(...places.filter((place) => place !== undefined));
      if (hidesApplication(layer, sightings)) hidden.push(layer);
      const nested = nestedRouter(layer, sightings);
      if (nested && !above.has(nested)) walk(nested, below, new Set([...above, nested]));
    }
  }

  walk(root, [], new Set([root]));
  const entries = [...found].map(([layer, { route, trails }]) => toEntry(layer, route, trails, sightings));
  return {
    entries,
    mounts,
    unknown,
    hidden,
    size,
    byRoute: new Map(entries.map((entry) => [entry.route, entry])),
  };
}

/** The number of layers below `root`, as {@link RouteMap.size}. */
export function countLayers(root: Router, sightings: Sightings, above: readonly Router[] = [root]): number {
  let size = root.stack.length;
  for (const layer of root.stack) {
    const router = layer.route ? undefined : nestedRouter(layer, sightings);
    if (router && !above.includes(router)) size += countLayers(router, sightings, [...above, router]);
  }
  return size;
}

/** What mounts within the application have consumed of the URL, where those outside of it have consumed `mountPath`. */
export function baseOf({ baseUrl = '' }: Request, mountPath: string): string {
  return baseUrl.slice(mountPath.length);
}

/** The place of `entry` through which `request` has come; the first where that cannot be told. */
export function placeOf(entry: Entry, request: Request, mountPath: string): Place | undefined {
  const { places } = entry;
  if (places.length <= 1) return places[0];
  const base = baseOf(request, mountPath);
  const path = pathOf(request.url);
  return places.find((place) => leadsTo(place, base, path)) ?? places[0];
}

/** Whether a request whose mounts have consumed `baseUrl`, and that has `path` left, can have come through `place`. */
export function leadsTo(place: Place, baseUrl: string, path: string): boolean {
  return consume(place.mounts, baseUrl) === '' && (!place.own || place.own.match(path) !== undefined);
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

/** Learns the patterns of the mounts on `trails` that a request has passed. @returns whether any was new */
export function learnTrails(trails: readonly Trail[], base: string): boolean {
  let learnt = false;
  for (const trail of trails) {
    let rest = base;
    for (const alternatives of trail) {
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

function toEntry(layer: Layer, route: Route, trails: readonly Trail[], sightings: Sightings): Entry {
  const own = alternativesSeen(layer, sightings);
  const places = trails
    .flatMap(combine)
    .flatMap((mounts) => own.map((alternative) => toPlace(mounts, alternative)));
  const known = places.filter((place) => place !== undefined);
  return { layer, route, trails, places: known, isPartial: known.length < places.length };
}

function toPlace(mounts: readonly Alternative[], own: Alternative | undefined): Place | undefined {
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

/** Every way through the alternatives of `trail`. */
function combine(trail: Trail): Alternative[][] {
  return trail.reduce<Alternative[][]>(
    (ways, alternatives) => ways.flatMap((way) => alternatives.map((alternative) => [...way, alternative])),
    [[]],
  );
}

function alternativesSeen(layer: Layer, sightings: Sightings): readonly Alternative[] {
  let seen = sightings.alternatives.get(layer);
  if (!seen) {
    seen = alternativesOf(layer, sightings.givenPaths.get(layer));
    sightings.alternatives.set(layer, seen);
  }
  return seen;
}

/** What a mount leads into: a router, or the router of a mounted application. */
function nestedRouter(layer: Layer, sightings: Sightings): Router | undefined {
  if (Array.isArray(layer.handle.stack)) return layer.handle as unknown as Router;
  const application = isApplication(layer.handle) ? layer.handle : sightings.applications.get(layer);
  return application && routerOf(application);
}
