/** Finds applications that were mounted unobserved, each with the first request to which it responds. */
import { consume } from './mount-path.ts';
import { alternativesOf } from './patterns.ts';
import { type ObservedMounts, routerOf } from './route-map.ts';
import type { Application, Layer, Request } from './types.ts';

/**
 * Learns which layers have led `request` from `root` to its current application.
 * @param base the part of the URL that mounts within `root` have consumed
 * @returns whether any layer was new
 */
export function learnApplications(
  root: Application,
  request: Request,
  base: string,
  observed: ObservedMounts,
): boolean {
  let hasLearnt = false;
  let [outer, rest] = [root, base];
  for (const application of applicationsBetween(root, request.app)) {
    const mount = mountOf(application, outer, rest, observed);
    if (!mount) break;
    hasLearnt ||= !observed.applications.has(mount.layer);
    observed.applications.set(mount.layer, application);
    [outer, rest] = [application, mount.rest];
  }
  return hasLearnt;
}

/** The applications from below `root` to `inner`, at any depth; none if it is not mounted there. */
function applicationsBetween(root: Application, inner: Application | undefined): Application[] {
  const chain: Application[] = [];
  for (let at = inner; at && at !== root; at = at.parent) chain.unshift(at);
  return chain[0]?.parent === root ? chain : [];
}

/**
 * The layer of `outer` through which a request for `path` has reached `application`, and the rest of the path. If several
 * layers are unknown, the first one: layers that match the same path rarely have different templates.
 */
function mountOf(
  application: Application,
  outer: Application,
  path: string,
  observed: ObservedMounts,
): { readonly layer: Layer; readonly rest: string } | undefined {
  for (const layer of routerOf(outer)?.stack ?? []) {
    const known = observed.applications.get(layer) ?? application;
    if (layer.name !== 'mounted_app' || known !== application) continue;
    for (const alternative of alternativesOf(layer, undefined)) {
      const rest = consume([alternative], path);
      if (rest !== undefined) return { layer, rest };
    }
  }
  return undefined;
}
