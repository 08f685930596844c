/** The rows of watched routes: which exist before the first request, and which of them a request counts on. */
import {
  addUnmatched,
  createRow,
  expose,
  initialise,
  keyOf,
  type RequestCounts,
  type Row,
} from '../recording/counts.ts';
import type { Ongoing } from '../recording/recorder.ts';
import { COMMON_METHODS, labelOf, methodLabel } from './methods.ts';
import { type MappedRoute, pathTaken, type RoutePath } from './route-map.ts';
import type { Handle, Request, Route } from './types.ts';

export interface RowOptions {
  /** The label of a template. */
  readonly pathLabel: (template: string) => string;
  /** The codes that a route declares, by `GET /users/:id`. */
  readonly codes: Readonly<Record<string, readonly number[]>>;
  /** Whether the requests of a template are skipped. */
  readonly isSkippedTemplate: (template: string) => boolean;
  /** Handlers that take their requests out of the count. */
  readonly uncounted: WeakSet<Handle>;
}

/** The row that a request with some method counts on, and whether only a handler for all methods takes it. */
interface MethodRow {
  readonly row: Row;
  readonly viaAll: boolean;
}

/** A route with the rows that its requests were given so far. */
export interface RouteRows {
  mapped: MappedRoute;
  readonly byPath: WeakMap<RoutePath, Map<string, MethodRow>>;
  /** Of the path that requests came by last: for most routes the only one. */
  routePath: RoutePath | undefined;
  current: Map<string, MethodRow>;
}

export interface Rows {
  create(mapped: MappedRoute): RouteRows;
  /** Exposes the rows of `mapped`, at 0. */
  expose(mapped: MappedRoute): void;
  /** Lets the request count on the row of the route that it enters. */
  assign(ongoing: Ongoing, own: RouteRows, request: Request): void;
  of(mapped: MappedRoute, routePath: RoutePath, method: string): MethodRow;
  label(template: string): string;
}

/** More methods than anybody lists by hand: `app.all`, which makes a handler for each. */
const MANY_METHODS = 20;

/** The labels of the methods that `route` has handlers for; none where it has handlers for all. */
function ownMethods({ methods }: Route): string[] {
  const names = Object.keys(methods).filter((name) => name !== '_all');
  return names.length > MANY_METHODS ? [] : [...new Set(names.map(labelOf))];
}

export function createRouteRows(counts: RequestCounts, options: RowOptions): Rows {
  const { pathLabel, codes, isSkippedTemplate, uncounted } = options;

  function rowOf(template: string, method: string): Row {
    const path = pathLabel(template);
    return (
      counts.routed.get(keyOf(path, method)) ??
      createRow(path, method, codes[`${method.toUpperCase()} ${template}`])
    );
  }

  function of({ route }: MappedRoute, routePath: RoutePath, method: string): MethodRow {
    const own = ownMethods(route);
    const label = labelOf(method.toLowerCase());
    const isOwn = own.includes(label);
    const row = rowOf(routePath.template, isOwn ? label : methodLabel(counts, method));
    return { row, viaAll: !isOwn && own.length > 0 };
  }

  return {
    of,
    label: pathLabel,
    create: (mapped) => ({ mapped, byPath: new WeakMap(), routePath: undefined, current: new Map() }),

    expose({ route, paths }) {
      if (route.stack.some(({ handle }) => uncounted.has(handle))) return;
      const own = ownMethods(route);
      for (const { template } of paths) {
        if (isSkippedTemplate(template)) continue;
        for (const method of own.length > 0 ? own : COMMON_METHODS) {
          addUnmatched(counts, method);
          const row = expose(counts, rowOf(template, method));
          // A handler for all methods takes few of them: the cells of the others would stay at 0 for ever.
          if (row && own.length > 0) initialise(row, counts.bounds);
        }
      }
    },

    assign(ongoing, own, request) {
      const routePath = pathTaken(own.mapped, request, ongoing.outerBaseUrl);
      if (routePath !== own.routePath && routePath) {
        own.routePath = routePath;
        own.current = own.byPath.get(routePath) ?? new Map();
        own.byPath.set(routePath, own.current);
      }
      const method = request.method ?? '';
      let methodRow = own.current.get(method);
      if (!methodRow && routePath) {
        methodRow = of(own.mapped, routePath, method);
        own.current.set(method, methodRow);
      }
      ongoing.row = methodRow?.row;
      ongoing.viaAll = methodRow?.viaAll ?? false;
    },
  };
}
