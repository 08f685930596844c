/** Reads the counts of an exposition, and describes how they differ from the requests sent. */

/** The values under which a request may be counted; an empty list if the label has no value for it. */
export interface Sent {
  readonly method: readonly string[];
  readonly route: readonly string[];
  /** Exact codes or classes, `2xx`. */
  readonly code: readonly string[];
  readonly count: number;
  /** Needed for the probe, but not judged. */
  readonly isHelper?: boolean;
}

export interface Counted {
  /** Undefined if the metric has no such label; the same applies to the others. */
  readonly method: string | undefined;
  readonly route: string | undefined;
  readonly code: string | undefined;
  readonly count: number;
}

export interface Metric {
  /** The names of the counted samples. */
  readonly name: string;
  readonly labels: { readonly method: string; readonly code: string; readonly route?: string };
  /** The route label of requests that matched no route. */
  readonly unmatched?: readonly string[];
  /** A part of a series that only scrapes have. */
  readonly scrapes?: Readonly<Record<string, string>>;
  /** Converts a route from the notation of Express to that of the library. */
  readonly spell?: (route: string) => string;
}

/** The samples of a metric, by their labels. */
export function parseSamples(exposition: string, name: string): Map<string, number> {
  const lines = exposition.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)`, 'gm'));
  return new Map([...lines].map(([, labels = '', value]) => [labels, Number(value)]));
}

export const parseLabels = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name, value]) => [name, value]),
  );

/** The increase from one exposition to the next, without scrapes. */
export function difference(before: string, after: string, { name, labels, scrapes }: Metric): Counted[] {
  const old = parseSamples(before, name);
  return [...parseSamples(after, name)].flatMap(([text, value]) => {
    const count = value - (old.get(text) ?? 0);
    const found = parseLabels(text);
    const isScrape = scrapes && Object.entries(scrapes).every(([key, label]) => (found[key] ?? '') === label);
    if (count === 0 || isScrape) return [];
    const route = labels.route === undefined ? undefined : (found[labels.route] ?? '');
    return [{ method: found[labels.method], route, code: found[labels.code], count }];
  });
}

export const sum = (counts: readonly { readonly count: number }[]) =>
  counts.reduce((total, { count }) => total + count, 0);

const DIMENSIONS = ['method', 'route', 'code'] as const;
type Dimension = (typeof DIMENSIONS)[number];

const fits = (sent: Sent, counted: Counted, dimension: Dimension) =>
  counted[dimension] === undefined ||
  sent[dimension].includes(
    dimension === 'method' ? (counted.method?.toUpperCase() ?? '') : counted[dimension],
  );

/** The wording for each counted value. */
const WORDS: Readonly<Record<Dimension, (values: readonly string[]) => string>> = {
  method: (values) => `as ${values.join(', ')}`,
  code: (values) => `as ${values.map((value) => value || 'no code').join(', ')}`,
  route: (values) =>
    values.length > 3
      ? `under ${values.length} paths`
      : `under ${values.map((value) => (value ? `\`${value}\`` : 'no route')).join(', ')}`,
};

/** Removes values that `fit` accepts from `open`. @returns how many of `count` are missing */
function take(open: { count: number }[], count: number, fit: (index: number) => boolean): number {
  let rest = count;
  for (const [index, one] of open.entries()) {
    if (!fit(index)) continue;
    const taken = Math.min(rest, one.count);
    one.count -= taken;
    rest -= taken;
  }
  return rest;
}

/** @returns the count instead of `expected` requests as text; an empty string if it is correct */
export function describeTotal(expected: number, total: number): string {
  if (total === expected) return '';
  if (total === 0) return 'not counted';
  return total === 2 * expected ? 'counted twice' : `${total} of ${expected} counted`;
}

/** @returns the count instead of `sent` as text, for example "as GET"; an empty string if it is correct */
export function describeMistakes(sent: readonly Sent[], counted: readonly Counted[]): string {
  const fitsAll = (one: Sent | undefined, other: Counted) =>
    one !== undefined && DIMENSIONS.every((dimension) => fits(one, other, dimension));
  const helpers = sent.filter(({ isHelper }) => isHelper).map((one) => ({ ...one }));
  const judged = counted.map((one) => ({
    ...one,
    count: take(helpers, one.count, (index) => fitsAll(helpers[index], one)),
  }));
  const open = sent.filter(({ isHelper }) => !isHelper).map((one) => ({ ...one }));
  const total = describeTotal(sum(open), sum(judged));
  if (total) return total;
  const misfits = judged.filter((one) => take(open, one.count, (index) => fitsAll(open[index], one)) > 0);
  const missing = open.filter(({ count }) => count > 0);
  const phrases = DIMENSIONS.flatMap((dimension) => {
    const wrong = misfits.filter((one) => !missing.some((other) => fits(other, one, dimension)));
    const values = [...new Set(wrong.map((one) => one[dimension] ?? ''))];
    return values.length > 0 ? WORDS[dimension](values) : [];
  });
  return phrases.join(', ') || (misfits.length > 0 ? 'under labels of other requests' : '');
}
