/**
 * What YAML can say and the values made from it would lose without a word: digits, keys, text that is no Unicode. It is
 * refused with its place, so that what is sent is what was written. So are aliases, with which a small file fills a memory.
 */
import { type Document, isCollection, isMap, isNode, isScalar, type Node, visit, type YAMLMap } from 'yaml';

export interface Loss {
  /** Offset in the text. */
  readonly at: number;
  readonly message: string;
}

/** Far below the depth at which recursion ends with a stack overflow. */
const MOST_LEVELS = 100;
export const TOO_DEEP = `expected at most ${MOST_LEVELS} levels`;

export function findLosses(document: Document): Loss[] {
  const losses: Loss[] = [];
  const refuse = (node: Node, message: string) => void losses.push({ at: node.range?.[0] ?? 0, message });
  visit(document, {
    Alias: (_, alias) => refuse(alias, 'expected no alias: write the value itself'),
    Scalar(_, scalar) {
      const { value, source = '' } = scalar;
      if (typeof value === 'number' && !isKept(value, source))
        refuse(
          scalar,
          `expected a number that JSON represents exactly (quote it, or write the body as a string), got ${source}`,
        );
      if (typeof value === 'string' && !value.isWellFormed())
        refuse(scalar, 'expected valid Unicode, got half of a surrogate pair');
    },
    Collection(_, collection, path) {
      if (isMap(collection)) checkKeys(collection, refuse);
      if (path.filter((one) => isCollection(one)).length < MOST_LEVELS) return undefined;
      refuse(collection, TOO_DEEP);
      return visit.SKIP;
    },
  });
  return losses;
}

/** The library compares each key with all others of its map, which takes minutes for a map of many; here it takes a set. */
function checkKeys(map: YAMLMap, refuse: (node: Node, message: string) => void): void {
  const seen = new Set<string>();
  for (const { key } of map.items) {
    const place = isNode(key) ? key : map;
    const name = isScalar(key) ? key.value : undefined;
    if (typeof name !== 'string') refuse(place, 'expected a string as key (quote it)');
    else if (name === '__proto__') refuse(place, 'expected no key "__proto__" (JavaScript reserves it)');
    else if (seen.has(name)) refuse(place, `expected each key once, got "${name}" again`);
    else seen.add(name);
  }
}

/** A JavaScript number keeps every decimal of so many significant digits (DBL_DIG), and not every one of more. */
const MOST_DIGITS = 15;

/** Whether JSON shows the number with the value that its source has: `.inf`, `-0` and too many digits do not survive. */
function isKept(value: number, source: string): boolean {
  if (!Number.isFinite(value) || Object.is(value, -0)) return false;
  if (/^[-+]?(\d+|0[xo][\da-f]+)$/i.test(source)) return Number.isSafeInteger(value);
  const digits = source.replace(/e.*$|\D/gi, '').replace(/^0+|0+$/g, '');
  return digits.length <= MOST_DIGITS && (value !== 0 || digits === '');
}
