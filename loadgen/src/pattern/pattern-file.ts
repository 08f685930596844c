/** Reads a pattern file in YAML or JSON (a subset of YAML), and reports all errors at once, each with its line and column. */
import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { type Document, isMap, isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { failAs, UsageError } from '../common/errors.ts';
import { findLosses, type Loss, TOO_DEEP } from './losses.ts';
import { type Pattern, patternSchema } from './pattern.ts';

/** Ctrl-C has no effect during parsing, which takes a few seconds at most for this size. */
const MOST_BYTES = 1024 * 1024;

/** @throws UsageError with one line per error */
export async function readPatternFile(file: string): Promise<Pattern> {
  return readYaml('the pattern', file, patternSchema);
}

/** @param what describes the file in messages @throws UsageError with one line per error */
export async function readYaml<T>(what: string, file: string, schema: z.ZodType<T>): Promise<T> {
  const stream = createReadStream(file, { end: MOST_BYTES });
  const bytes = await buffer(stream).catch(failAs(UsageError, `cannot read ${what} file`));
  if (bytes.length > MOST_BYTES)
    throw new UsageError(`${file}: expected at most ${MOST_BYTES} bytes, got more`);
  if (!isUtf8(bytes)) throw new UsageError(`${file}: expected UTF-8, got other bytes`);
  return parseYaml(what, file, bytes.toString('utf8'), schema);
}

export function parsePattern(file: string, text: string): Pattern {
  return parseYaml('the pattern', file, text, patternSchema);
}

function parseYaml<T>(what: string, file: string, text: string, schema: z.ZodType<T>): T {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const unread = [...document.errors, ...document.warnings].map(({ pos: [at], message }) => ({
    at,
    message: message.startsWith('Maximum call stack') ? TOO_DEEP : message.replace(/; please use .*/, ''),
  }));
  const refuse = (mistakes: readonly Loss[]) => {
    const found = mistakes.map(({ at, message }) => `${file}:${placeAt(lines, at)}: ${message}`);
    if (found.length > 0) throw new UsageError(found.join('\n'));
  };
  refuse(unread);
  refuse(findLosses(document));
  const { success, data, error } = schema.safeParse(document.toJS());
  if (success) return data;
  const found = error.issues.flatMap(expand).map((issue) => describe(what, file, document, lines, issue));
  throw new UsageError(found.join('\n'));
}

interface Mistake {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** Whether the error is the key itself, not its value. */
  readonly isKey: boolean;
}

/** Splits issues: zod reports several unknown keys as one issue, but they are several errors. */
export function expand(issue: z.core.$ZodIssue): Mistake[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...issue.path, key], message: 'unknown key', isKey: true }));
  }
  if (issue.code === 'invalid_key') {
    return issue.issues.map(({ message }) => ({ path: issue.path, message, isKey: true }));
  }
  if (issue.code === 'invalid_union') {
    // The intended alternative is the one that fails at a nested value, not as a whole.
    const within = issue.errors.filter((errors) =>
      errors.every(({ path, code }) => path.length > 0 || code === 'unrecognized_keys'),
    );
    const [meant] = within.toSorted((a, b) => a.length - b.length);
    if (meant !== undefined)
      return meant.flatMap(expand).map((mistake) => ({ ...mistake, path: [...issue.path, ...mistake.path] }));
  }
  const message = issue.message.replace(/^[A-Z][a-z ]+: /, '').replace(/, received .*$/, '');
  return [{ path: issue.path, message, isKey: false }];
}

function describe(
  what: string,
  file: string,
  document: Document,
  lines: LineCounter,
  { path, message, isKey }: Mistake,
): string {
  const place = placeAt(lines, offsetOf(document, path, isKey));
  const name = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  const value: unknown = path.length === 0 ? document.toJS() : document.getIn(path);
  const got = isKey || message.includes(', got ') ? '' : `, got ${shorten(value)}`;
  return `${file}:${place}: ${name.replace(/^\./, '') || what}: ${message}${got}`;
}

/** The offset of the value at a path; if it is missing, the offset of the nearest enclosing value. */
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
