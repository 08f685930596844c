/** Reads an own pattern from YAML or JSON (a part of YAML), and reports all of its mistakes at once, each with its place. */
import { readFile } from 'node:fs/promises';
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  LineCounter,
  type Node,
  parseDocument,
} from 'yaml';
import type { z } from 'zod';
import { reasonOf, UsageError } from '../common/errors.ts';
import { type Pattern, patternSchema } from './pattern.ts';

/** @throws UsageError with one line per mistake */
export async function readPatternFile(file: string): Promise<Pattern> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read the pattern file: ${reasonOf(error)}`);
  }
  return parsePattern(file, text);
}

/** @param file how the text is called in messages */
export function parsePattern(file: string, text: string): Pattern {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    throw new UsageError(
      document.errors.map(({ pos: [at], message }) => `${file}:${placeAt(lines, at)}: ${message}`).join('\n'),
    );
  }
  const misused = findMisusedAliases(document);
  if (misused.length > 0) {
    throw new UsageError(
      misused.map(({ at, message }) => `${file}:${placeAt(lines, at)}: ${message}`).join('\n'),
    );
  }
  const { success, data, error } = patternSchema.safeParse(document.toJS(OWN_GUARD));
  if (success) return data;
  const found = error.issues.flatMap(expand).map((issue) => describe(file, document, lines, issue));
  throw new UsageError(found.join('\n'));
}

/** Aliases are a convenience here; thousands of them, nested, are how a small file fills a memory. */
const MOST_ALIASES = 100;
const OWN_GUARD = { maxAliasCount: -1 } as const;

/** What the parser would only stumble over when it builds the values, without a place. */
function findMisusedAliases(document: Document): { at: number; message: string }[] {
  const misused: { at: number; message: string }[] = [];
  const open: unknown[] = [];
  let used = 0;
  const enter = (node: Node) => {
    if (isAlias(node)) {
      const at = node.range?.[0] ?? 0;
      const source = node.resolve(document);
      if (source === undefined)
        misused.push({ at, message: `no anchor "&${node.source}" before this alias` });
      else if (open.includes(source)) misused.push({ at, message: `alias "*${node.source}" inside itself` });
      else if (++used <= MOST_ALIASES) enter(source);
      else if (used === MOST_ALIASES + 1)
        misused.push({ at, message: `expected at most ${MOST_ALIASES} aliases` });
      return;
    }
    open.push(node);
    if (isCollection(node)) for (const item of node.items) for (const child of childrenOf(item)) enter(child);
    open.pop();
  };
  if (document.contents !== null) enter(document.contents);
  return misused;
}

function childrenOf(item: unknown): Node[] {
  return (isPair(item) ? [item.key, item.value] : [item]).filter((child) => isNode(child));
}

interface Mistake {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** The mistake is the key itself, not its value. */
  readonly isKey: boolean;
}

/** Several unknown keys are one issue of zod's, but several mistakes. */
function expand(issue: z.core.$ZodIssue): Mistake[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...issue.path, key], message: 'not a known key', isKey: true }));
  }
  if (issue.code === 'invalid_key') {
    return issue.issues.map(({ message }) => ({ path: issue.path, message, isKey: true }));
  }
  const message = issue.message.replace(/^[A-Z][a-z ]+: /, '').replace(/, received .*$/, '');
  return [{ path: issue.path, message, isKey: false }];
}

function describe(
  file: string,
  document: Document,
  lines: LineCounter,
  { path, message, isKey }: Mistake,
): string {
  const place = placeAt(lines, offsetOf(document, path, isKey));
  const name = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  const value: unknown = path.length === 0 ? document.toJS(OWN_GUARD) : document.getIn(path);
  const found = isKey || message.includes('found') ? '' : `, found ${shorten(value)}`;
  return `${file}:${place}: ${name.replace(/^\./, '') || 'the pattern'}: ${message}${found}`;
}

/** Where the value at a path begins; for one that is missing, where the nearest thing around it begins. */
function offsetOf(document: Document, path: readonly PropertyKey[], isKey: boolean): number {
  if (isKey) {
    const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
    const pair = isMap(parent)
      ? parent.items.find(({ key }) => String(key) === String(path.at(-1)))
      : undefined;
    if (isNode(pair?.key)) return pair.key.range?.[0] ?? 0;
  }
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node)) return node.range?.[0] ?? 0;
  }
  return document.contents?.range?.[0] ?? 0;
}

function placeAt(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${Math.max(1, line)}:${Math.max(1, col)}`;
}

function shorten(value: unknown): string {
  const text = isNode(value) ? String(value) : (JSON.stringify(value) ?? 'nothing');
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
