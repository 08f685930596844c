/**
 * Determines the row of each request. A request that enters a route gets that route's row when it enters. At the end, only
 * requests to which no watched route has responded have to be resolved.
 */
import type { RequestCounts, Row } from '../recording/counts.ts';
import { methodLabel } from '../recording/methods.ts';
import type { Ongoing, Recorder } from '../recording/recorder.ts';
import { unwatchEntrance, type Watch, watchEntrance } from './entrances.ts';
import { baseOf, consume, learnMountPaths, pathTaken, type RoutePath } from './mount-path.ts';
import { learnApplications } from './mounted-applications.ts';
import { countLayers, createObservedMounts, type MappedRoute, readRoutes, routerOf } from './route-map.ts';
import { type RowOptions, Rows } from './rows.ts';
import type { Application, Layer, Request, Route, Router } from './types.ts';

export class RouteResolver {
  /** Information that the stacks of routers do not contain. */
  readonly observed = createObservedMounts();
  readonly #app: Application;
  readonly #counts: RequestCounts;
  readonly #recorder: Recorder;
  readonly #rows: Rows;
  /** The current mapping of each watched route. */
  readonly #watched = new WeakMap<Layer, { mapped: MappedRoute }>();
  #root: Router | undefined;
  #rootSize = 0;
  #map = readRoutes({ stack: [] }, this.observed);

  constructor(app: Application, counts: RequestCounts, recorder: Recorder, options: RowOptions) {
    this.#app = app;
    this.#counts = counts;
    this.#recorder = recorder;
    this.#rows = new Rows(counts, options);
  }

  /** Called before a request: a cheap check whether routes were added to the application itself. */
  update(): void {
    this.#root ??= routerOf(this.#app);
    if (this.#root && this.#root.stack.length !== this.#rootSize) this.#read();
  }

  /** Called before a scrape: checks whether routes were added anywhere. */
  refresh(): void {
    this.#root ??= routerOf(this.#app);
    if (this.#root && countLayers(this.#root, this.observed) !== this.#map.size) this.#read();
  }

  /** Restores the entrances of the routes' layers. */
  release(): void {
    for (const { layer } of this.#map.routes) unwatchEntrance(layer, this.#recorder);
  }

  /**
   * The row of a request that ended with `status` outside of any watched route; undefined if nothing in the application
   * handled it.
   */
  resolve(request: Request, current: Ongoing, status: number): Row | undefined {
    const base = baseOf(request, current.outerBaseUrl);
    this.#learnHidden(request, base);
    if (learnMountPaths(this.#map.unknown, base)) this.#read();
    const isRefusal = status === 404 || status === 405;
    const { route } = request;
    if (route && current.left?.route !== route) {
      if (!this.#map.byRoute.has(route)) this.refresh();
      const mapped = this.#map.byRoute.get(route);
      if (!mapped) return this.#rowAt(hiddenTemplate(this.#map.mounts, base, route), request);
      const path = pathTaken(mapped.paths, request, current.outerBaseUrl);
      // The route matched, but something responded before its handlers, usually a handler for a parameter.
      if (path && !isRefusal) return this.#rows.of(route, path, request.method ?? '').row;
    }
    // With 404 or 405, either no route has the path, or the final handler for such requests responded.
    return isRefusal ? undefined : this.#rowOfMount(request, current, base);
  }

  /** The row of a request to which a mounted handler responded, outside of any route. */
  #rowOfMount(request: Request, { left }: Ongoing, base: string): Row | undefined {
    const mapped = left && request.route && this.#map.byRoute.get(request.route);
    // A route has left the response to a middleware of its router or an outer one, which sends the data that routes
    // prepare.
    if (mapped && isAround(mapped, base)) return left.row;
    const mount =
      base === '' ? undefined : this.#map.mounts.find(({ mounts }) => consume(mounts, base) === '');
    return mount && this.#rowAt(mount.template, request);
  }

  /** The row of a path that belongs to no watched route. */
  #rowAt(template: string, { method }: Request): Row {
    return this.#rows.at(template, methodLabel(this.#counts, method));
  }

  #read(): void {
    if (!this.#root) return;
    this.#map = readRoutes(this.#root, this.observed);
    this.#rootSize = this.#root.stack.length;
    for (const mapped of this.#map.routes) {
      const watched = this.#watched.get(mapped.layer);
      if (watched) watched.mapped = mapped;
      else this.#watch(mapped);
      this.#rows.expose(mapped);
    }
  }

  #watch(mapped: MappedRoute): void {
    const watched = { mapped };
    this.#watched.set(mapped.layer, watched);
    watchEntrance(mapped.layer, this.#recorder, this.#watching(watched));
  }

  /** Observes the entrance of a route: stores the row of the request, and notices when the route passes the request on. */
  #watching(watched: { readonly mapped: MappedRoute }): Watch {
    const rows = this.#rows;
    return (enter, current, request, response, next) => {
      if (current.isAnswered || response.writableEnded) return enter(request, response, next);
      if (this.#map.hasHidden) this.#learnHidden(request, baseOf(request, current.outerBaseUrl));
      const { isPartial, mountPaths } = watched.mapped;
      if (isPartial && learnMountPaths(mountPaths, baseOf(request, current.outerBaseUrl))) this.#read();
      const { route, paths } = watched.mapped;
      const path = pathTaken(paths, request, current.outerBaseUrl);
      const found = path && rows.of(route, path, request.method ?? '');
      current.row = found?.row;
      current.viaAll = found?.viaAll ?? false;
      const hadHead = response.headersSent;
      return enter(request, response, (error) => {
        current.isAnswered ||= response.writableEnded || (response.headersSent && !hadHead);
        // If there is an error, the route responds through an error handler.
        if (!current.isAnswered && (!error || error === 'route' || error === 'router')) {
          current.left = { route, row: current.viaAll ? undefined : current.row };
          current.row = undefined;
        }
        next(error);
      });
    };
  }

  #learnHidden(request: Request, base: string): void {
    if (this.#map.hasHidden && learnApplications(this.#app, request, base, this.observed)) this.#read();
  }
}

/** Whether one of the routers around a route has consumed `baseUrl`. */
function isAround({ paths }: MappedRoute, baseUrl: string): boolean {
  return paths.some(({ mounts }) =>
    [...mounts.keys(), mounts.length].some((n) => consume(mounts.slice(0, n), baseUrl) === ''),
  );
}

/** The template of a route in a router that a handler calls itself: the nearest mount, and the route's own path. */
function hiddenTemplate(mounts: readonly RoutePath[], baseUrl: string, route: Route): string {
  let nearest = { template: '', rest: baseUrl };
  for (const { template, mounts: outer } of mounts) {
    const rest = consume(outer, baseUrl);
    if (rest !== undefined && rest.length < nearest.rest.length) nearest = { template, rest };
  }
  const own = [route.path].flat().map(String).join('|').replace(/\/+$/, '');
  // The client chooses the part of the path that the router has consumed beyond the mount.
  return `${nearest.template}${nearest.rest === '' ? '' : '/*'}${own}` || '/';
}
