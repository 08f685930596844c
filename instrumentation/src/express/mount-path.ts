/** The paths of routes and mounts, and which of them a request has taken. */
import type { Row } from '../recording/counts.ts';
import { type Alternative, learnPattern } from './patterns.ts';
import type { Pattern, Request } from './types.ts';

/** The mounts that lead to a layer, outermost first, each with its alternative paths. */
export type MountPath = readonly (readonly Alternative[])[];

/** One path to a route or a mount. */
export interface RoutePath {
  readonly template: string;
  readonly mounts: readonly Alternative[];
  /** The route's own path; undefined for a mount. */
  readonly own: Alternative | undefined;
  /** The rows on which its requests count, by method. */
  readonly rows: Map<string, MethodRow>;
}

/** The row of a method, and whether only a handler for all methods takes its requests. */
export interface MethodRow {
  readonly row: Row;
  readonly viaAll: boolean;
}

/**
 * All combinations of the alternatives of the mounts, and of a route in the last mount.
 * @param own the alternatives of the route; omitted for the last mount itself
 * @returns the paths; undefined in place of each with a pattern that is not known yet
 */
export function toPaths(mountPath: MountPath, own?: readonly Alternative[]): (RoutePath | undefined)[] {
  const all = own ? [...mountPath, own] : mountPath;
  return combine(all).map((alternatives) => {
    const patterns = alternatives.map(({ pattern }) => pattern);
    if (!patterns.every((pattern) => pattern !== undefined)) return undefined;
    const mounts = alternatives.slice(0, mountPath.length);
    return { template: join(patterns), mounts, own: alternatives[mountPath.length], rows: new Map() };
  });
}

/** Every combination with one element of each list. */
function combine(lists: MountPath): Alternative[][] {
  return lists.reduce<Alternative[][]>(
    (combined, list) => combined.flatMap((before) => list.map((one) => [...before, one])),
    [[]],
  );
}

/** Joins `/api` and `/users/:id` to `/api/users/:id`; an expression is shown unchanged. */
function join(patterns: readonly Pattern[]): string {
  const template = patterns.reduce<string>((prefix, pattern) => {
    const piece = typeof pattern === 'string' ? pattern.replace(/\/+$/, '') : String(pattern);
    return piece === '' || piece.startsWith('/') || prefix === '' ? prefix + piece : `${prefix}/${piece}`;
  }, '');
  return template === '' ? '/' : template;
}

/** The part of the URL that mounts within the application have consumed; mounts outside of it have consumed `outerBaseUrl`. */
export function baseOf({ baseUrl = '' }: Request, outerBaseUrl: string): string {
  return baseUrl.slice(outerBaseUrl.length);
}

/** The path among `paths` that a request has taken; the first one if that is unknown. */
export function pathTaken(
  paths: readonly RoutePath[],
  request: Request,
  outerBaseUrl: string,
): RoutePath | undefined {
  if (paths.length <= 1) return paths[0];
  const base = baseOf(request, outerBaseUrl);
  const rest = pathOf(request.url);
  const isTaken = ({ mounts, own }: RoutePath) =>
    consume(mounts, base) === '' && (!own || own.match(rest) !== undefined);
  return paths.find(isTaken) ?? paths[0];
}

/** The rest of `base` after `mounts`; undefined if they do not match. */
export function consume(mounts: readonly Alternative[], base: string): string | undefined {
  let rest = base;
  for (const mount of mounts) {
    const matched = mount.match(rest || '/');
    if (matched === undefined) return undefined;
    rest = rest.slice(matched.replace(/\/$/, '').length);
  }
  return rest;
}

/** Learns the patterns of the mounts that a request has passed. @returns whether any pattern was new */
export function learnMountPaths(mountPaths: readonly MountPath[], base: string): boolean {
  let hasLearnt = false;
  for (const mountPath of mountPaths) {
    let rest = base;
    for (const alternatives of mountPath) {
      const passed = alternatives.find(({ match }) => match(rest || '/') !== undefined);
      if (!passed) break;
      if (passed.pattern === undefined) {
        passed.pattern = learnPattern(passed, rest || '/');
        hasLearnt ||= passed.pattern !== undefined;
      }
      rest = consume([passed], rest) ?? '';
    }
  }
  return hasLearnt;
}

/** The path of a request target, even if the target is a whole URL. */
export function pathOf(url = '/'): string {
  const [target = '/'] = url.split('?', 1);
  if (target.startsWith('/')) return target;
  const host = target.indexOf('://');
  const slash = host < 0 ? -1 : target.indexOf('/', host + 3);
  return slash < 0 ? '/' : target.slice(slash);
}
