/**
 * What YAML can say and the values made from it would lose without a word: digits, keys, text that is no Unicode. It is
 * refused with its place, so that what is sent is what was written. Aliases that cannot be resolved are refused here, too.
 */
import {
  type Alias,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  type Node,
  type Scalar,
  type YAMLMap,
} from 'yaml';

export interface Loss {
  /** Offset in the text. */
  readonly at: number;
  readonly message: string;
}

/** Aliases are a convenience here; thousands of them, nested, are how a small file fills a memory. */
const MOST_ALIASES = 100;
/** Far below the depth at which recursion ends with a stack overflow. */
const MOST_LEVELS = 100;
export const TOO_DEEP = `expected at most ${MOST_LEVELS} levels`;

export function findLosses(document: Document): Loss[] {
  const losses: Loss[] = [];
  const refuse = (node: Node, message: string) => void losses.push({ at: node.range?.[0] ?? 0, message });
  const open: unknown[] = [];
  let used = 0;
  const follow = (alias: Alias) => {
    const source = alias.resolve(document);
    if (source === undefined) refuse(alias, `no anchor "&${alias.source}" before this alias`);
    else if (open.includes(source)) refuse(alias, `alias "*${alias.source}" inside itself`);
    else if (++used <= MOST_ALIASES) enter(source);
    else if (used === MOST_ALIASES + 1) refuse(alias, `expected at most ${MOST_ALIASES} aliases`);
  };
  const enter = (node: Node) => {
    if (isAlias(node)) return follow(node);
    if (isScalar(node)) checkScalar(node, refuse);
    if (isMap(node)) checkKeys(node, document, refuse);
    if (!isCollection(node)) return;
    if (open.length === MOST_LEVELS) return refuse(node, TOO_DEEP);
    open.push(node);
    for (const item of node.items) for (const child of childrenOf(item)) enter(child);
    open.pop();
  };
  if (document.contents !== null) enter(document.contents);
  return losses;
}

type Refuse = (node: Node, message: string) => void;

function childrenOf(item: unknown): Node[] {
  return (isPair(item) ? [item.key, item.value] : [item]).filter((child) => isNode(child));
}

function checkScalar(node: Scalar, refuse: Refuse): void {
  const { value, source = '' } = node;
  if (typeof value === 'number' && !isKept(value, source))
    refuse(
      node,
      `expected a number that JSON keeps exactly (quote it, or write the body as a text), found ${source}`,
    );
  if (typeof value === 'string' && !value.isWellFormed())
    refuse(node, 'expected Unicode text, found half of a surrogate pair');
}

function checkKeys(map: YAMLMap, document: Document, refuse: Refuse): void {
  const seen = new Set<string>();
  for (const { key } of map.items) {
    const node = isAlias(key) ? key.resolve(document) : key;
    const place = isNode(key) ? key : map;
    const name = isScalar(node) ? node.value : undefined;
    if (typeof name !== 'string') refuse(place, 'expected a text as key (quote it)');
    else if (name === '__proto__')
      refuse(place, 'expected no key "__proto__": JavaScript has another use for it');
    else if (seen.has(name)) refuse(place, `expected each key once, found "${name}" again`);
    else seen.add(name);
  }
}

/** Whether JSON shows the number with the value that its source has: digits beyond 2^53, `.inf` and `-0` do not survive. */
function isKept(value: number, source: string): boolean {
  if (/^[-+]?0[xo]/.test(source)) return Number.isSafeInteger(value);
  return Number.isFinite(value) && decimalOf(source) === decimalOf(JSON.stringify(value));
}

/** The significant digits and the power of ten of the last one: `-15e-1` for `-1.50`; undefined for another notation. */
function decimalOf(text: string): string | undefined {
  const found = /^\+?(-?)(\d*)\.?(\d*)(?:e([-+]?\d+))?$/i.exec(text);
  if (found === null) return undefined;
  const [, sign, whole, fraction = '', power = 0] = found;
  const digits = `${whole}${fraction}`;
  const [read = '', significant = ''] = /^0*(.*[1-9])?/.exec(digits) ?? [];
  const exponent = Number(power) - fraction.length + digits.length - read.length;
  return significant === '' ? `${sign}0` : `${sign}${significant}e${exponent}`;
}
