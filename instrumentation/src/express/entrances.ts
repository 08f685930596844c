/**
 * Replaces the functions through which Express enters layers with functions that observe the requests. Several applications
 * may share a router. The function of a layer is therefore replaced once for all of them and finds its watchers through the
 * request, so that it keeps no application alive.
 */
import type { ServerResponse } from 'node:http';
import { ONGOING, requests } from '../recording/outcome.ts';
import type { Ongoing, Recorder } from '../recording/recorder.ts';
import type { Handle, Layer, Next, Request } from './types.ts';

/** Handles a request that enters a layer; it must call `enter`. */
export type Watch = (
  enter: Handle,
  current: Ongoing,
  request: Request,
  response: ServerResponse,
  next: Next,
) => unknown;

interface Entrance {
  readonly watches: WeakMap<Recorder, Watch>;
  users: number;
  /** Restores the original functions, unless other code has replaced ours. */
  readonly restore: () => void;
}

const entrances = new WeakMap<Layer, Entrance>();

/** From now on, passes the requests that enter `layer` and that `recorder` measures to `watch`. */
export function watchEntrance(layer: Layer, recorder: Recorder, watch: Watch): void {
  const entrance = entrances.get(layer) ?? replace(layer);
  entrance.watches.set(recorder, watch);
  entrance.users++;
}

export function unwatchEntrance(layer: Layer, recorder: Recorder): void {
  const entrance = entrances.get(layer);
  if (entrance?.watches.delete(recorder) && --entrance.users === 0) entrance.restore();
}

function replace(layer: Layer): Entrance {
  const original = layer.handle;
  const watches = new WeakMap<Recorder, Watch>();
  /** @param first the first measurement whose watcher has not been called yet */
  function enter(
    first: Ongoing | undefined,
    request: Request,
    response: ServerResponse,
    next: Next,
  ): unknown {
    for (let current = first; current; current = current.next) {
      const watch = current.code === ONGOING ? watches.get(current.recorder) : undefined;
      if (!watch) continue;
      const { next: others } = current;
      const inner: Handle = others ? (...parameters) => enter(others, ...parameters) : original;
      return watch(inner, current, request, response, next);
    }
    return original(request, response, next);
  }
  const watching: Handle = (request, response: ServerResponse & { [requests]?: Ongoing }, next) =>
    enter(response[requests], request, response, next);
  layer.handle = watching;
  const entrance: Entrance = {
    watches,
    users: 0,
    restore() {
      if (layer.handle !== watching) return;
      layer.handle = original;
      entrances.delete(layer);
    },
  };
  entrances.set(layer, entrance);
  return entrance;
}
