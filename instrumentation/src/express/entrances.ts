/** The functions through which Express enters layers, replaced by some that look at the requests on their way in. */
import type { Handle, Layer } from './types.ts';

export interface Entrances {
  has(layer: Layer): boolean;
  /** @param watch makes the new function of the one that is replaced, and that it has to call */
  replace(layer: Layer, watch: (enter: Handle) => Handle): void;
  /** Puts back what was replaced, unless something else has been put in its place. */
  restore(layers: Iterable<Layer>): void;
}

export function createEntrances(): Entrances {
  const replaced = new WeakMap<Layer, { readonly enter: Handle; readonly watching: Handle }>();
  return {
    has: (layer) => replaced.has(layer),
    replace(layer, watch) {
      const enter = layer.handle;
      const watching = watch(enter);
      replaced.set(layer, { enter, watching });
      layer.handle = watching;
    },
    restore(layers) {
      for (const layer of layers) {
        const { enter, watching } = replaced.get(layer) ?? {};
        if (enter && layer.handle === watching) layer.handle = enter;
      }
    },
  };
}
