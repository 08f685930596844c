/** An array that is made when somebody looks into it. */

export interface OnDemand<T> {
  readonly array: readonly T[];
  /** Whether anybody has looked into it, and may have changed what is in it. */
  readonly isMade: () => boolean;
}

/**
 * To hold the array, or to ask whether there is one (as prom-client does of every family at every scrape), makes nothing.
 * @param make what is in it
 */
export function onDemand<T>(make: () => readonly T[]): OnDemand<T> {
  let isMade = false;
  const content: T[] = [];
  const fill = () => {
    if (isMade) return;
    isMade = true;
    for (const one of make()) content.push(one);
  };
  const array = new Proxy(content, {
    get(target, key) {
      fill();
      return Reflect.get(target, key);
    },
    has(target, key) {
      fill();
      return Reflect.has(target, key);
    },
    ownKeys(target) {
      fill();
      return Reflect.ownKeys(target);
    },
    getOwnPropertyDescriptor(target, key) {
      fill();
      return Reflect.getOwnPropertyDescriptor(target, key);
    },
  });
  return { array, isMade: () => isMade };
}
