/** Applications that were mounted before `instrument` was called: each is found by the first request that is answered in it. */
import type { ServerResponse } from 'node:http';
import type { Ongoing } from '../recording/recorder.ts';
import type { Entrances } from './entrances.ts';
import { consume } from './mount-path.ts';
import { alternativesOf } from './patterns.ts';
import { hidesApplication, type ObservedMounts, routerOf } from './route-map.ts';
import type { Application, Layer, Request } from './types.ts';

/** A layer on a request's way that mounts an application of which nothing is known. */
interface Hidden {
  readonly layer: Layer;
  /** The application that the layer belongs to. */
  readonly outer: Application | undefined;
  /** What was consumed of the URL when the layer was entered. */
  readonly base: string;
}

export interface HiddenApplications {
  /** Looks at the requests that enter `layer` from now on. */
  watch(layer: Layer): void;
  /** Learns what is mounted on the way of `request`. @returns whether anything was new */
  learn(request: Request, current: Ongoing): boolean;
}

export function createHiddenApplications(
  observed: ObservedMounts,
  entrances: Entrances,
  ongoing: (response: ServerResponse) => Ongoing | undefined,
): HiddenApplications {
  const entered = new WeakMap<Ongoing, readonly Hidden[]>();
  return {
    watch(layer) {
      if (entrances.has(layer)) return;
      entrances.replace(layer, (enter) => (request, response, next) => {
        const current = observed.applications.has(layer) ? undefined : ongoing(response);
        if (!current) return enter(request, response, next);
        const before = entered.get(current) ?? [];
        entered.set(current, [...before, { layer, outer: request.app, base: request.baseUrl ?? '' }]);
        return enter(request, response, (error) => {
          entered.set(current, before);
          next(error);
        });
      });
    },

    learn(request, current) {
      let hasLearnt = false;
      for (const { layer, outer, base } of entered.get(current) ?? []) {
        const chain = observed.applications.has(layer) ? [] : mountedBetween(outer, request.app);
        hasLearnt ||= chain.length > 0;
        let found: Found | undefined = { layer, rest: (request.baseUrl ?? '').slice(base.length) };
        for (const application of chain) {
          if (!found) break;
          observed.applications.set(found.layer, application);
          const isLast = application === chain.at(-1);
          found = isLast ? undefined : layerThatHides(application, found.rest, observed);
        }
      }
      return hasLearnt;
    },
  };
}

/** The applications from below `outer` to `inner`, which is mounted in it or in one that is; none where it is not. */
function mountedBetween(outer: Application | undefined, inner: Application | undefined): Application[] {
  const chain: Application[] = [];
  for (let at = inner; at && at !== outer; at = at.parent) chain.unshift(at);
  return chain[0]?.parent === outer ? chain : [];
}

interface Found {
  readonly layer: Layer;
  /** What the layer leaves of the path. */
  readonly rest: string;
}

/**
 * The layer of `application` that mounts an unseen one at the beginning of `path`. Of several that match none: each of them
 * says what it mounts when it is entered again.
 */
function layerThatHides(application: Application, path: string, observed: ObservedMounts): Found | undefined {
  const layers = routerOf(application)?.stack ?? [];
  const found = layers.flatMap((layer) => {
    if (!hidesApplication(layer, observed)) return [];
    const rests = alternativesOf(layer, undefined).map((alternative) => consume([alternative], path));
    const rest = rests.find((left) => left !== undefined);
    return rest === undefined ? [] : [{ layer, rest }];
  });
  return found.length === 1 ? found[0] : undefined;
}
