/**
 * Which row a request belongs to. A request that enters a route is given that route's row on the way in; what is left to
 * find at its end are the requests that no watched route answered.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRow, keyOf, type RequestCounts, type Row } from '../recording/counts.ts';
import type { Ongoing } from '../recording/recorder.ts';
import { methodLabel } from './methods.ts';
import {
  baseOf,
  consume,
  countLayers,
  hidesApplication,
  learnMountPaths,
  type MappedRoute,
  type ObservedMounts,
  pathTaken,
  type RouteMap,
  type RoutePath,
  readRoutes,
  routerOf,
} from './route-map.ts';
import { createRouteRows, type RouteRows, type RowOptions } from './rows.ts';
import type { Application, Handle, Layer, Request, Route, Router } from './types.ts';

export interface RouteResolver {
  /** Before a request: sees cheaply whether routes were added to the application itself. */
  update(): void;
  /** Before a scrape: sees whether routes were added anywhere. */
  refresh(): void;
  /** The row of a request that ended with `status` while it was in no watched route; undefined where none answered it. */
  resolve(request: IncomingMessage, ongoing: Ongoing, status: number): Row | undefined;
  /** Puts back what the routes' layers were entered through. */
  release(): void;
}

export interface ResolverParts extends RowOptions {
  readonly app: Application;
  readonly counts: RequestCounts;
  readonly observed: ObservedMounts;
  readonly ongoing: (response: ServerResponse) => Ongoing | undefined;
}

const EMPTY: RouteMap = { routes: [], mounts: [], unknown: [], hidden: [], size: 0, byRoute: new Map() };

export function createResolver(parts: ResolverParts): RouteResolver {
  const { app, counts, observed, ongoing } = parts;
  const rows = createRouteRows(counts, parts);
  const watched = new WeakMap<Layer, RouteRows>();
  const entered = new WeakMap<Layer, { before: Handle; watching: Handle }>();
  /** The layers on a request's way that mount an application of which nothing is known. */
  const inHidden = new WeakMap<Ongoing, readonly { layer: Layer; outer: Application | undefined }[]>();
  let root: Router | undefined;
  let rootSize = 0;
  let map = EMPTY;

  function read(): void {
    if (!root) return;
    map = readRoutes(root, observed);
    rootSize = root.stack.length;
    for (const mapped of map.routes) {
      const own = watched.get(mapped.layer);
      if (own) own.mapped = mapped;
      else {
        watched.set(mapped.layer, watchRoute(rows.create(mapped)));
      }
      rows.expose(mapped);
    }
    for (const layer of map.hidden) watchHidden(layer);
  }

  function enterThrough(layer: Layer, watching: Handle): void {
    entered.set(layer, { before: layer.handle, watching });
    layer.handle = watching;
  }

  /** From now on Express enters the route of `layer` through a function that notes it. */
  function watchRoute(own: RouteRows): RouteRows {
    const { layer, route } = own.mapped;
    const enter = layer.handle;
    enterThrough(layer, (request, response, next) => {
      const current = ongoing(response);
      if (!current || current.isAnswered || response.writableEnded) return enter(request, response, next);
      if (map.hidden.length > 0) learnHidden(request, current);
      const { isPartial, mountPaths } = own.mapped;
      if (isPartial && learnMountPaths(mountPaths, baseOf(request, current.outerBaseUrl))) read();
      rows.assign(current, own, request);
      const hadHead = response.headersSent;
      return enter(request, response, (error) => {
        current.isAnswered ||= response.writableEnded || (response.headersSent && !hadHead);
        // With an error the route is what answers, by way of an error handler.
        if (!current.isAnswered && (!error || error === 'route' || error === 'router')) {
          current.left = { route, row: current.viaAll ? undefined : current.row };
          current.row = undefined;
        }
        next(error);
      });
    });
    return own;
  }

  /** An application that was mounted before `instrument` was called is found by the first request that is answered in it. */
  function watchHidden(layer: Layer): void {
    if (entered.has(layer)) return;
    const enter = layer.handle;
    enterThrough(layer, (request, response, next) => {
      const current = observed.applications.has(layer) ? undefined : ongoing(response);
      if (!current) return enter(request, response, next);
      const before = inHidden.get(current) ?? [];
      inHidden.set(current, [...before, { layer, outer: request.app }]);
      return enter(request, response, (error) => {
        inHidden.set(current, before);
        next(error);
      });
    });
  }

  function learnHidden(request: Request, current: Ongoing): void {
    for (const { layer, outer } of inHidden.get(current) ?? []) {
      const chain = observed.applications.has(layer) ? [] : mountedBetween(outer, request.app);
      if (chain.length === 0) continue;
      chain.reduce<Layer | undefined>((at, application) => {
        if (at) observed.applications.set(at, application);
        return layerThatHides(application, chain, observed);
      }, layer);
      read();
    }
  }

  function refresh(): void {
    root ??= routerOf(app);
    if (root && countLayers(root, observed) !== map.size) read();
  }

  /** The row of a path that belongs to no watched route. */
  function rowAt(template: string, request: IncomingMessage): Row {
    const method = methodLabel(counts, request.method);
    const path = rows.label(template);
    return counts.routed.get(keyOf(path, method)) ?? createRow(path, method);
  }

  return {
    update() {
      root ??= routerOf(app);
      if (root && root.stack.length !== rootSize) read();
    },
    refresh,
    release() {
      for (const layer of [...map.routes.map((mapped) => mapped.layer), ...map.hidden]) {
        const { before, watching } = entered.get(layer) ?? {};
        if (before && layer.handle === watching) layer.handle = before;
      }
    },
    resolve(request: Request, current, status) {
      const { route } = request;
      const base = baseOf(request, current.outerBaseUrl);
      if (map.hidden.length > 0) learnHidden(request, current);
      if (learnMountPaths(map.unknown, base)) read();
      const isRefusal = status === 404 || status === 405;
      const { left } = current;
      if (route && left?.route !== route) {
        if (!map.byRoute.has(route)) refresh();
        const mapped = map.byRoute.get(route);
        if (!mapped) return rowAt(hiddenTemplate(map.mounts, base, route), request);
        const routePath = pathTaken(mapped, request, current.outerBaseUrl);
        // It has matched, and something before its handlers has answered: a handler for a parameter, usually.
        if (routePath && !isRefusal) return rows.of(mapped, routePath, request.method ?? '').row;
      }
      // Nobody knew the path, or what stands at the end for such.
      if (isRefusal) return undefined;
      const mapped = left && route && map.byRoute.get(route);
      // It has left the rest to a middleware of its router, or of one around it: one that sends what routes have prepared.
      if (mapped && isAround(mapped, base)) return left.row;
      const mount = base === '' ? undefined : map.mounts.find(({ mounts }) => consume(mounts, base) === '');
      return mount && rowAt(mount.template, request);
    },
  };
}

/** Whether `baseUrl` is what one of the routers around the route of `mapped` has consumed. */
function isAround({ paths }: MappedRoute, baseUrl: string): boolean {
  return paths.some(({ mounts }) =>
    [...mounts.keys(), mounts.length].some((n) => consume(mounts.slice(0, n), baseUrl) === ''),
  );
}

/** The applications from below `outer` to `inner`, which is mounted in it or in one that is; none where it is not. */
function mountedBetween(outer: Application | undefined, inner: Application | undefined): Application[] {
  const chain: Application[] = [];
  for (let at = inner; at && at !== outer; at = at.parent) chain.unshift(at);
  return chain[0]?.parent === outer ? chain : [];
}

/** The layer of `application` that mounts the one after it in `chain`, where that was not seen. */
function layerThatHides(
  application: Application,
  chain: readonly Application[],
  observed: ObservedMounts,
): Layer | undefined {
  const next = chain[chain.indexOf(application) + 1];
  const layers = (routerOf(application)?.stack ?? []).filter((layer) => hidesApplication(layer, observed));
  const isAt = (layer: Layer) => layer.rawPath === next?.mountpath;
  return next && (layers.find(isAt) ?? layers[0]);
}

/** The template of a route in a router that a handler calls by itself: the nearest mount, and what the route says. */
function hiddenTemplate(mounts: readonly RoutePath[], baseUrl: string, route: Route): string {
  let nearest = { template: '', rest: baseUrl };
  for (const { template, mounts: outer } of mounts) {
    const rest = consume(outer, baseUrl);
    if (rest !== undefined && rest.length < nearest.rest.length) nearest = { template, rest };
  }
  const own = [route.path].flat().map(String).join('|').replace(/\/+$/, '');
  // What the router has consumed beyond the mount is a client's words.
  return `${nearest.template}${nearest.rest === '' ? '' : '/*'}${own}` || '/';
}
