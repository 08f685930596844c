/** The rows of routes: those that exist before the first request, and the row on which each request is counted. */
import {
  addUnmatched,
  createRow,
  expose,
  initialise,
  keyOf,
  type RequestCounts,
  type Row,
} from '../recording/counts.ts';
import { COMMON_METHODS, labelOf, methodLabel } from '../recording/methods.ts';
import type { MethodRow, RoutePath } from './mount-path.ts';
import type { MappedRoute } from './route-map.ts';
import type { Handle, Route } from './types.ts';

export interface RowOptions {
  /** The label of a template. */
  readonly pathLabel: (template: string) => string;
  /** The codes that routes declare, keyed like `GET /users/:id`. */
  readonly codes: Readonly<Record<string, readonly number[]>>;
  /** Whether the requests of a template are skipped. */
  readonly isSkippedTemplate: (template: string) => boolean;
  /** Handlers whose requests are not counted. */
  readonly uncounted: WeakSet<Handle>;
}

/** No hand-written route has more methods than this; `app.all` creates a handler for each method. */
const MANY_METHODS = 20;

/** The labels of the methods that `route` has handlers for; none if it has handlers for all. */
function ownMethods({ methods }: Route): string[] {
  const names = Object.keys(methods).filter((name) => name !== '_all');
  return names.length > MANY_METHODS ? [] : [...new Set(names.map(labelOf))];
}

export class Rows {
  readonly #counts: RequestCounts;
  readonly #options: RowOptions;

  constructor(counts: RequestCounts, options: RowOptions) {
    this.#counts = counts;
    this.#options = options;
  }

  /** The row of a template and a method's label. */
  at(template: string, label: string): Row {
    const path = this.#options.pathLabel(template);
    const declared = this.#options.codes[`${label.toUpperCase()} ${template}`];
    return this.#counts.routed.get(keyOf(path, label)) ?? createRow(path, label, declared);
  }

  /** The row of a request that enters `route` through `path`. */
  of(route: Route, { rows, template }: RoutePath, method: string): MethodRow {
    let found = rows.get(method);
    if (!found) {
      const own = ownMethods(route);
      const label = labelOf(method.toLowerCase());
      const isOwn = own.includes(label);
      const row = this.at(template, isOwn ? label : methodLabel(this.#counts, method));
      found = { row, viaAll: !isOwn && own.length > 0 };
      rows.set(method, found);
    }
    return found;
  }

  /** Exposes the rows of a route at 0. */
  expose({ route, paths }: MappedRoute): void {
    const { isSkippedTemplate, uncounted } = this.#options;
    if (route.stack.some(({ handle }) => uncounted.has(handle))) return;
    const own = ownMethods(route);
    const labels = own.length > 0 ? own : COMMON_METHODS;
    for (const { template } of paths) {
      if (isSkippedTemplate(template)) continue;
      for (const label of labels) {
        addUnmatched(this.#counts, label);
        const row = expose(this.#counts, this.at(template, label));
        // A handler for all methods usually receives few of them: the cells of the others would stay at 0.
        if (row && own.length > 0) initialise(row, this.#counts.bounds);
      }
    }
  }
}
