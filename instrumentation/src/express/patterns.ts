/**
 * Determines the paths of an Express layer and how to match them, by version:
 * - 5.3 (router 2.3) keeps the arguments in `rawPath`;
 * - 5.0 to 5.2 keep only compiled matchers of a mount: its path is known if a call of the application's `use` was observed;
 *   otherwise the pattern is learnt from the first request that passes ({@link learnPattern});
 * - 4 keeps a regular expression, which is converted back to the path.
 * A route knows its path in every version.
 */
import { countGroups, decodePath } from './compiled-path.ts';
import type { Layer, Pattern } from './types.ts';

/** One of the paths of a layer. */
export interface Alternative {
  /** Undefined until it is known. */
  pattern: Pattern | undefined;
  /** The beginning of `path` that this alternative matches; undefined if it does not match. */
  readonly match: (path: string) => string | undefined;
  /** Like `match`, but with the values of parameters, if the layer provides them. */
  readonly matcher?: NonNullable<Layer['matchers']>[number];
}

/** @param given the arguments of `use`, if they were observed */
export function alternativesOf(layer: Layer, given: unknown): Alternative[] {
  const raw = toPatterns(layer.route?.path ?? layer.rawPath ?? given);
  if (layer.matchers) return layer.matchers.map((matcher, i) => ofMatcher(layer, matcher, raw?.[i]));
  const { regexp, keys = [] } = layer;
  if (!regexp) return raw?.map((pattern) => ({ pattern, match: () => undefined })) ?? [];
  if (regexp.fast_slash) return [{ pattern: '/', match: () => '' }];
  if (regexp.fast_star) return [{ pattern: '*', match: (path) => path }];
  let used = 0;
  const sources = raw?.length === 1 ? [regexp] : splitAlternatives(regexp);
  return sources.map((source, i) => {
    const own = keys.slice(used);
    used += countGroups(source.source);
    return { pattern: raw?.[i] ?? decodePath(source, own), match: (path) => source.exec(path)?.[0] };
  });
}

/** Patterns from anything that `use`, `get` and so on accept as a path; undefined for anything else. */
function toPatterns(given: unknown): Pattern[] | undefined {
  const flat = (Array.isArray(given) ? given.flat(Number.POSITIVE_INFINITY) : [given]) as unknown[];
  const patterns = flat.filter((entry) => typeof entry === 'string' || entry instanceof RegExp);
  return patterns.length === flat.length && flat.length > 0 ? (patterns as Pattern[]) : undefined;
}

function ofMatcher(
  layer: Layer,
  matcher: NonNullable<Layer['matchers']>[number],
  pattern: Pattern | undefined,
): Alternative {
  if (layer.slash) return { pattern: '/', match: () => '' };
  const match = (path: string) => {
    try {
      const matched = matcher(path);
      return matched ? matched.path : undefined;
    } catch {
      // A malformed percent-encoding in a parameter.
      return undefined;
    }
  };
  return { pattern, match, matcher };
}

/** Express 4 joins the alternatives of a path into one expression: `(?:^\/a$|^\/b$)`, or the same without the group. */
function splitAlternatives({ source, flags }: RegExp): RegExp[] {
  const joined = /^\(\?:(\^.*)\)$/.exec(source)?.[1] ?? source;
  return joined.split(/\|(?=\^)/).map((alternative) => new RegExp(alternative, flags));
}

/** The label of an expression that cannot be read. */
const EXPRESSION = '(expression)';

/**
 * Infers the pattern of an opaque matcher from a path that it has matched. A part of the path is a parameter if a
 * replacement for that part is returned as the parameter's value; everything else is literal. The caller keeps the result
 * permanently, so that a layer has one pattern for all later requests.
 */
export function learnPattern({ matcher }: Alternative, path: string): Pattern | undefined {
  const matched = matcher?.(path);
  if (!matcher || !matched) return undefined;
  if (matcher.name === 'regexpMatcher') return EXPRESSION;
  const whole = matched.path;
  const parameters = Object.entries(matched.params).map(([name, value]) => {
    const isWildcard = Array.isArray(value);
    const text = isWildcard ? value.join('/') : String(value);
    const range =
      findValue(matcher, whole, name, text) ?? findValue(matcher, whole, name, encodeURIComponent(text));
    return range && { ...range, label: `${isWildcard ? '*' : ':'}${name}` };
  });
  // If matching ignores case, the client's spelling must not become the label.
  const isSensitive = !(matcher(whole.toUpperCase()) && matcher(whole.toLowerCase()));
  const toLiteral = (text: string) => (isSensitive ? text : text.toLowerCase());
  let template = '';
  let from = 0;
  for (const parameter of parameters.sort((a, b) => (a?.from ?? 0) - (b?.from ?? 0))) {
    if (!parameter || parameter.from < from) return EXPRESSION;
    template += toLiteral(whole.slice(from, parameter.from)) + parameter.label;
    from = parameter.to;
  }
  return template + toLiteral(whole.slice(from));
}

/** The position in `path` of the value of the parameter `name`. */
function findValue(
  matcher: NonNullable<Alternative['matcher']>,
  path: string,
  name: string,
  text: string,
): { from: number; to: number } | undefined {
  const probe = 'probe0';
  for (let from = path.indexOf(text); text !== '' && from >= 0; from = path.indexOf(text, from + 1)) {
    const to = from + text.length;
    const probed = matcher(path.slice(0, from) + probe + path.slice(to));
    const value = probed ? (probed.params as Record<string, unknown>)[name] : undefined;
    if (value === probe || (Array.isArray(value) && value.join('/') === probe)) return { from, to };
  }
  return undefined;
}
