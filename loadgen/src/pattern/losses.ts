/**
 * Rejects YAML that parsing would change silently (digits, keys, invalid Unicode), so that the generator sends exactly what the
 * file contains. Also rejects aliases, with which a small file could exhaust the memory.
 */
import { type Document, isCollection, isMap, isNode, isScalar, type Node, visit, type YAMLMap } from 'yaml';

export interface Loss {
  /** Offset in the text. */
  readonly at: number;
  readonly message: string;
}

/** Far below the depth at which the recursion would overflow the stack. */
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

/** Uses a set, because the library compares each key with all others, which takes minutes for a large map. */
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

/** A JavaScript number represents every decimal of this many significant digits (DBL_DIG), but not every longer one. */
const MOST_DIGITS = 15;

/** Whether JSON preserves the value of the source: not for `.inf`, `-0` and too many digits. */
function isKept(value: number, source: string): boolean {
  if (!Number.isFinite(value) || Object.is(value, -0)) return false;
  if (/^[-+]?(\d+|0[xo][\da-f]+)$/i.test(source)) return Number.isSafeInteger(value);
  const digits = source.replace(/e.*$|\D/gi, '').replace(/^0+|0+$/g, '');
  return digits.length <= MOST_DIGITS && (value !== 0 || digits === '');
}
