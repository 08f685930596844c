/** The rows of watched routes: which exist before the first request, and which of them a request counts on. */
import {
  addUnmatched,
  createRow,
  fillRow,
  keyOf,
  listRow,
  type RequestCounts,
  type Row,
} from '../recording/counts.ts';
import type { Ongoing } from '../recording/recorder.ts';
import { COMMON_METHODS, labelOf, methodLabel } from './methods.ts';
import { type Entry, type Place, placeOf } from './route-map.ts';
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
interface Way {
  readonly row: Row;
  readonly viaAll: boolean;
}

/** A route with the rows that its requests were given so far. */
export interface RouteRows {
  entry: Entry;
  readonly ways: WeakMap<Place, Map<string, Way>>;
  /** Of the place that requests came by last: for most routes the only one. */
  place: Place | undefined;
  current: Map<string, Way>;
}

export interface Rows {
  create(entry: Entry): RouteRows;
  /** Exposes the rows of `entry`, at 0. */
  list(entry: Entry): void;
  /** Lets the request count on the row of the route that it enters. */
  assign(ongoing: Ongoing, own: RouteRows, request: Request): void;
  of(entry: Entry, place: Place, method: string): Way;
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

  function of({ route }: Entry, place: Place, method: string): Way {
    const own = ownMethods(route);
    const label = labelOf(method.toLowerCase());
    const isOwn = own.includes(label);
    const row = rowOf(place.template, isOwn ? label : methodLabel(counts, method));
    return { row, viaAll: !isOwn && own.length > 0 };
  }

  return {
    of,
    label: pathLabel,
    create: (entry) => ({ entry, ways: new WeakMap(), place: undefined, current: new Map() }),

    list({ route, places }) {
      if (route.stack.some(({ handle }) => uncounted.has(handle))) return;
      const own = ownMethods(route);
      for (const { template } of places) {
        if (isSkippedTemplate(template)) continue;
        for (const method of own.length > 0 ? own : COMMON_METHODS) {
          addUnmatched(counts, method);
          const row = listRow(counts, rowOf(template, method));
          // A handler for all methods takes few of them: the cells of the others would stay at 0 for ever.
          if (row && own.length > 0) fillRow(row, counts.bounds);
        }
      }
    },

    assign(ongoing, own, request) {
      const place = placeOf(own.entry, request, ongoing.mountPath);
      if (place !== own.place && place) {
        own.place = place;
        own.current = own.ways.get(place) ?? new Map();
        own.ways.set(place, own.current);
      }
      const method = request.method ?? '';
      let way = own.current.get(method);
      if (!way && place) {
        way = of(own.entry, place, method);
        own.current.set(method, way);
      }
      ongoing.row = way?.row;
      ongoing.viaAll = way?.viaAll ?? false;
    },
  };
}
