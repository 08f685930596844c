/**
 * Which row a request belongs to. A request that enters a route is given that route's row on the way in; what is left to
 * find at its end are the requests that no watched route answered.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRow, keyOf, type RequestCounts, type Row } from '../recording/counts.ts';
import type { Ongoing } from '../recording/recorder.ts';
import { methodLabel } from './methods.ts';
import { alternativesOf } from './patterns.ts';
import {
  baseOf,
  consume,
  countLayers,
  type Entry,
  hidesApplication,
  learnTrails,
  type Place,
  placeOf,
  type RouteMap,
  readRoutes,
  routerOf,
  type Sightings,
} from './route-map.ts';
import { createRouteRows, type RouteRows, type RowOptions } from './rows.ts';
import type { Application, Handle, Layer, Request, Route, Router } from './types.ts';

export interface RouteLocator {
  /** Before a request: sees cheaply whether routes were added to the application itself. */
  update(): void;
  /** Before a scrape: sees whether routes were added anywhere. */
  refresh(): void;
  /** The row of a request that ended with `status` while it was in no watched route; undefined where none answered it. */
  locate(request: IncomingMessage, ongoing: Ongoing, status: number): Row | undefined;
  /** Puts back what the routes' layers were entered through. */
  release(): void;
}

export interface LocatorParts extends RowOptions {
  readonly app: Application;
  readonly counts: RequestCounts;
  readonly sightings: Sightings;
  readonly ongoing: (response: ServerResponse) => Ongoing | undefined;
}

/** A layer that mounts an application of which nothing is known: where it stands, and what is consumed when it is entered. */
interface Hidden {
  readonly layer: Layer;
  readonly outer: Application | undefined;
  readonly base: string;
}

const EMPTY: RouteMap = { entries: [], mounts: [], unknown: [], hidden: [], size: 0, byRoute: new Map() };

export function createLocator(parts: LocatorParts): RouteLocator {
  const { app, counts, sightings, ongoing } = parts;
  const rows = createRouteRows(counts, parts);
  const watched = new WeakMap<Layer, RouteRows>();
  const entered = new WeakMap<Layer, { before: Handle; watching: Handle }>();
  /** The layers on the way of a request that mount an application of which nothing is known. */
  const inHidden = new WeakMap<Ongoing, readonly Hidden[]>();
  let root: Router | undefined;
  let rootSize = 0;
  let map = EMPTY;

  function read(): void {
    if (!root) return;
    map = readRoutes(root, sightings);
    rootSize = root.stack.length;
    for (const entry of map.entries) {
      const own = watched.get(entry.layer);
      if (own) own.entry = entry;
      else {
        watched.set(entry.layer, watchRoute(rows.create(entry)));
      }
      rows.list(entry);
    }
    for (const layer of map.hidden) watchHidden(layer);
  }

  function enterThrough(layer: Layer, watching: Handle): void {
    entered.set(layer, { before: layer.handle, watching });
    layer.handle = watching;
  }

  /** From now on Express enters the route of `layer` through a function that notes it. */
  function watchRoute(own: RouteRows): RouteRows {
    const { layer, route } = own.entry;
    const enter = layer.handle;
    enterThrough(layer, (request, response, next) => {
      const current = ongoing(response);
      if (!current || current.isAnswered || response.writableEnded) return enter(request, response, next);
      if (map.hidden.length > 0) learnHidden(request, current);
      const { isPartial, trails } = own.entry;
      if (isPartial && learnTrails(trails, baseOf(request, current.mountPath))) read();
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
      const current = sightings.applications.has(layer) ? undefined : ongoing(response);
      if (!current) return enter(request, response, next);
      const before = inHidden.get(current) ?? [];
      inHidden.set(current, [...before, { layer, outer: request.app, base: request.baseUrl ?? '' }]);
      return enter(request, response, (error) => {
        inHidden.set(current, before);
        next(error);
      });
    });
  }

  function learnHidden(request: Request, current: Ongoing): void {
    for (const { layer, outer, base } of inHidden.get(current) ?? []) {
      const chain = sightings.applications.has(layer) ? [] : mountedBetween(outer, request.app);
      if (chain.length === 0) continue;
      let rest = (request.baseUrl ?? '').slice(base.length);
      chain.reduce<Layer | undefined>((at, application) => {
        if (at) sightings.applications.set(at, application);
        const found = at && layerThatHides(application, chain, rest, sightings);
        rest = found?.rest ?? '';
        return found?.layer;
      }, layer);
      read();
    }
  }

  function refresh(): void {
    root ??= routerOf(app);
    if (root && countLayers(root, sightings) !== map.size) read();
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
      for (const layer of [...map.entries.map((entry) => entry.layer), ...map.hidden]) {
        const { before, watching } = entered.get(layer) ?? {};
        if (before && layer.handle === watching) layer.handle = before;
      }
    },
    locate(request: Request, current, status) {
      const { route } = request;
      const base = baseOf(request, current.mountPath);
      if (map.hidden.length > 0) learnHidden(request, current);
      if (learnTrails(map.unknown, base)) read();
      const isRefusal = status === 404 || status === 405;
      const { left } = current;
      if (route && left?.route !== route) {
        if (!map.byRoute.has(route)) refresh();
        const entry = map.byRoute.get(route);
        if (!entry) return rowAt(hiddenTemplate(map.mounts, base, route), request);
        const place = placeOf(entry, request, current.mountPath);
        // It has matched, and something before its handlers has answered: a handler for a parameter, usually.
        if (place && !isRefusal) return rows.of(entry, place, request.method ?? '').row;
      }
      // Nobody knew the path, or what stands at the end for such.
      if (isRefusal) return undefined;
      const entry = left && route && map.byRoute.get(route);
      // It has left the rest to a middleware of its router, or of one around it: one that sends what routes have prepared.
      if (entry && isAround(entry, base)) return left.row;
      const mount = base === '' ? undefined : map.mounts.find(({ mounts }) => consume(mounts, base) === '');
      return mount && rowAt(mount.template, request);
    },
  };
}

/** Whether `baseUrl` is what one of the routers around the route of `entry` has consumed. */
function isAround({ places }: Entry, baseUrl: string): boolean {
  return places.some(({ mounts }) =>
    [...mounts.keys(), mounts.length].some((n) => consume(mounts.slice(0, n), baseUrl) === ''),
  );
}

/** The applications from below `outer` to `inner`, which is mounted in it or in one that is; none where it is not. */
function mountedBetween(outer: Application | undefined, inner: Application | undefined): Application[] {
  const chain: Application[] = [];
  for (let at = inner; at && at !== outer; at = at.parent) chain.unshift(at);
  return chain[0]?.parent === outer ? chain : [];
}

/**
 * The layer of `application` that mounts the one after it in `chain`, where that was not seen and `path` tells it, and what
 * that leaves of `path`. Of several that match none: each of them says what it mounts when it is entered again.
 */
function layerThatHides(
  application: Application,
  chain: readonly Application[],
  path: string,
  sightings: Sightings,
): { readonly layer: Layer; readonly rest: string } | undefined {
  if (application === chain.at(-1)) return undefined;
  const found = (routerOf(application)?.stack ?? [])
    .filter((layer) => hidesApplication(layer, sightings))
    .flatMap((layer) => {
      const rests = alternativesOf(layer, undefined).map((alternative) => consume([alternative], path));
      const rest = rests.find((left) => left !== undefined);
      return rest === undefined ? [] : [{ layer, rest }];
    });
  return found.length === 1 ? found[0] : undefined;
}

/** The template of a route in a router that a handler calls by itself: the nearest mount, and what the route says. */
function hiddenTemplate(mounts: readonly Place[], baseUrl: string, route: Route): string {
  let nearest = { template: '', rest: baseUrl };
  for (const { template, mounts: way } of mounts) {
    const rest = consume(way, baseUrl);
    if (rest !== undefined && rest.length < nearest.rest.length) nearest = { template, rest };
  }
  const own = [route.path].flat().map(String).join('|').replace(/\/+$/, '');
  // What the router has consumed beyond the mount is a client's words.
  return `${nearest.template}${nearest.rest === '' ? '' : '/*'}${own}` || '/';
}
