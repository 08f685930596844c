// PromQL, read and written. Read with Prometheus' own grammar, so that tests can ask what a query names and how it is
// wrapped; written once for all panels, so that a rate, a share or a quantile is the same everywhere.
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

/** One selector of series within a query. */
export interface Selector {
  metric: string;
  matchers: { label: string; operator: string; value: string }[];
  /** The window of a range selector, e.g. `5m`. */
  range?: string;
  /** The functions that it is an argument of, the innermost first, e.g. `['rate', 'histogram_quantile']`. */
  functions: string[];
}

/**
 * The selectors of a query whose Grafana variables are filled in.
 * @throws SyntaxError with the place, where the grammar does not accept it
 */
export function parsePromql(expr: string): Selector[] {
  const selectors: Selector[] = [];
  parser.parse(expr).iterate({
    enter({ node, from, to }) {
      if (node.type.isError)
        throw new SyntaxError(`PromQL: unexpected "${expr.slice(from, to)}" at ${from} of ${expr}`);
      if (node.name === 'VectorSelector') selectors.push(toSelector(node, expr));
    },
  });
  return selectors;
}

function toSelector(node: SyntaxNode, expr: string): Selector {
  const text = (part: SyntaxNode | null | undefined) => (part ? expr.slice(part.from, part.to) : '');
  const parents: SyntaxNode[] = [];
  for (let { parent } = node; parent; { parent } = parent) parents.push(parent);
  const range = parents.find(({ name }) => name === 'MatrixSelector');
  const matchers = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
  return {
    metric: text(node.getChild('Identifier')),
    matchers: matchers.map((matcher) => {
      const [, label = '', operator = '', value = ''] =
        /^(\w+)\s*(=~|!~|!=|=)\s*["'](.*)["']$/s.exec(text(matcher)) ?? [];
      return { label, operator, value };
    }),
    ...(range ? { range: text(range).slice(text(range).lastIndexOf('[') + 1, -1) } : {}),
    functions: parents
      .filter(({ name }) => name === 'FunctionCall')
      .map((call) => text(call.getChild('FunctionIdentifier'))),
  };
}

/** Puts values in the place of Grafana's variables (`$job`, `${job}`); a variable without a value is an error. */
export function fillVariables(expr: string, values: Readonly<Record<string, string>>): string {
  return expr.replace(/\$\{?([a-z_]\w*)\}?/g, (variable, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`no value for ${variable} in ${expr}`);
    return value;
  });
}

/** One of Grafana's variables in queries and links: `${name}`. */
export const variable = (name: string) => `\${${name}}`;

/** Series of what is chosen at the top of a dashboard. */
export const CHOSEN = 'cluster=~"$cluster", job=~"$job", instance=~"$instance"';

/** One line for each process: a replica, or the primary and the workers of one. The label is there also without `worker`. */
export const byProcess = (expr: string) => ({
  '{{process}}': `label_join(${expr}, "process", " ", "instance", "worker")`,
});

const DURATION = 'http_request_duration_seconds';
const WINDOW = '$__rate_interval';

/** Which series an expression is about, how they are summed, and over which window. */
export interface Scope {
  /** Label matchers. Default: {@link CHOSEN}. */
  matchers?: string;
  /** Labels that stay. Default: none, one series for all. */
  by?: readonly string[];
  /** A duration. Default: Grafana's, which follows the scrape interval. */
  window?: string;
}

/** Sum of the rates of a counter or a native histogram. */
export function rate(metric: string, { matchers = CHOSEN, by = [], window = WINDOW }: Scope = {}): string {
  const sum = by.length > 0 ? `sum by (${by.join(', ')}) ` : 'sum';
  return `${sum}(rate(${metric}{${matchers}}[${window}]))`;
}

/** Responses per second; of the status codes that match, where `codes` is given. */
export function responses(scope: Scope = {}, codes?: string): string {
  const matchers = scope.matchers ?? CHOSEN;
  const matching = codes ? `${matchers}, code=~"${codes}"` : matchers;
  return rate(`${DURATION}_count`, { ...scope, matchers: matching });
}

/** Responses of those codes as a share of all; nothing where nothing was asked. */
export function shareOf(codes: string, scope: Scope = {}): string {
  return `${responses(scope, codes)} / (${responses(scope)} > 0)`;
}

/**
 * Responses per second that burn a budget: failed, or slower than the objective. Rounded, because the two sums are added in different
 * orders, and their difference may be 1e-15 where nothing was bad.
 */
export function badResponses(objectiveSeconds: number, scope: Scope = {}): string {
  const matchers = `${scope.matchers ?? CHOSEN}, code!~"5..", le="${objectiveSeconds}"`;
  return `round(${responses(scope)} - ${rate(`${DURATION}_bucket`, { ...scope, matchers })}, 1e-9)`;
}

/**
 * The q-quantile of the request duration in seconds: from the native histogram where the server has one, else from the
 * classic buckets, within which it is interpolated. `>= 0` drops the NaN of a histogram that observed nothing.
 */
export function quantile(q: number, scope: Scope = {}): string {
  const native = `histogram_quantile(${q}, ${rate(DURATION, scope)}) >= 0`;
  const by = ['le', ...(scope.by ?? [])];
  const classic = `histogram_quantile(${q}, ${rate(`${DURATION}_bucket`, { ...scope, by })}) >= 0`;
  return `(${native}) or (${classic})`;
}

/** What the description of a panel with quantiles has to say. */
export const QUANTILE_CAVEAT =
  'From a native histogram it is exact to a few per cent. From classic buckets it is only known to lie within its bucket, the band of *Latency distribution*, and interpolated there.';

/** How many series a panel tells apart; beyond that they are summed up as the rest. */
export const TOP = 12;

/** The most requested routes of the time range, to intersect with (`and`); the same at every step of a graph. */
export const TOP_ROUTES = `topk(${TOP}, sum by (path, method) (increase(http_requests_total{${CHOSEN}}[$__range] @ end())))`;
