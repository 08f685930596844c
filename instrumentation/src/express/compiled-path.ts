/**
 * Converts an expression that Express 4 has compiled back to its path. path-to-regexp 0.1 has special forms for `:name`, `*`
 * and `/(`, escapes slashes and dots, and leaves everything else unchanged.
 */
import type { Layer, Pattern } from './types.ts';

/** The expression around the path of a mount. */
const MOUNTED = /^\^(.*?)\\\/\?\(\?[=:]\\\/\|\$\)$/;

/** The beginning of a parameter, before its expression, by version: `\/(?:\.`, `(?:\.\/`. */
const PARAMETER = /(\\\/)?\(\?:(\\\.)?(\\\/)?(?=\((?!\?))/y;

/** The default expression of a parameter; the longer form excludes the separator between two parameters. */
const DEFAULT_EXPRESSION = /^(?:\[\^[^\]]*\]\+\?|\(\?:\(\?!.*\)\.\)\+\?)$/;

/** The suffix for the `*` of `:name*`. */
const REPEATED = /\(\(\?:\[[^\]]*\]\.\+\?\)\?\)/y;

const OTHER = /\(\.\*\)|\\\/\(\?:|\((?:\?<(?![=!]))?(?!\?)|\\?[\s\S]/y;
const GROUPS = new Set(['(.*)', '(', '(?<']);
const GIVEN: Readonly<Record<string, string>> = { '(.*)': '*', '\\/(?:': '/(', '\\/': '/', '\\.': '.' };

/** @returns the path; `regexp` itself if it was not compiled from a path */
export function decodePath(regexp: RegExp, keys: NonNullable<Layer['keys']>): Pattern {
  const body = MOUNTED.exec(regexp.source)?.[1];
  if (body === undefined) return regexp;
  let path = '';
  let groups = 0;
  let at = 0;
  const take = (token: RegExp) => {
    token.lastIndex = at;
    const found = token.exec(body);
    at += found?.[0].length ?? 0;
    return found;
  };
  while (at < body.length) {
    const name = keys[groups]?.name;
    // An unnamed group has a number instead of a name.
    const parameter = typeof name === 'string' && take(PARAMETER);
    if (parameter) {
      const end = endOfGroup(body, at);
      const expression = body.slice(at + 1, end);
      const given = expression.replaceAll('(.*)', '*').replaceAll('\\/', '/');
      at = end + 1;
      const repeated = take(REPEATED) ? '*' : '';
      at++;
      groups += 1 + countGroups(expression) + repeated.length;
      const own = DEFAULT_EXPRESSION.test(expression) ? '' : `(${given})`;
      path += `${prefixOf(parameter)}:${name}${own}${repeated}`;
    } else {
      const token = take(OTHER)?.[0] ?? '';
      if (GROUPS.has(token)) groups++;
      path += GIVEN[token] ?? token;
    }
  }
  return groups === countGroups(regexp.source) ? path : regexp;
}

/** The text before the name of a parameter. */
const prefixOf = ([, slash, dot, optionalSlash]: readonly string[]) =>
  (slash || optionalSlash ? '/' : '') + (dot ? '.' : '');

export const countGroups = (source: string) => (new RegExp(`${source}|`).exec('')?.length ?? 1) - 1;

/** The end of the group that begins at `start`. */
function endOfGroup(source: string, start: number): number {
  let depth = 0;
  for (const { 0: token, index } of source.slice(start).matchAll(/\\.|\[(?:\\.|[^\]\\])*\]|[()]/g)) {
    if (token === '(') depth++;
    if (token === ')' && --depth === 0) return start + index;
  }
  return source.length;
}
