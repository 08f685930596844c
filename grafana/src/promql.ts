// Parses and writes PromQL. The parser uses Prometheus' own grammar, so that tests can inspect a query's selectors and
// functions. The writers are shared by all panels, so that a rate, a share or a quantile is the same everywhere.
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

/** One selector of series within a query. */
export interface Selector {
  metric: string;
  matchers: { label: string; operator: string; value: string }[];
  /** The window of a range selector, e.g. `5m`. */
  range?: string;
  /** The functions around it, the innermost first, e.g. `['rate', 'histogram_quantile']`. */
  functions: string[];
}

/**
 * Returns the selectors of a query. Grafana variables must be filled in already.
 * @throws SyntaxError with the position of the first syntax error
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

/** Replaces Grafana's variables (`$job`, `${job}`) with values. @throws if a variable has no value */
export function fillVariables(expr: string, values: Readonly<Record<string, string>>): string {
  return expr.replace(/\$\{?([a-z_]\w*)\}?/g, (variable, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${variable}: expected a value, got none (in ${expr})`);
    return value;
  });
}

/** A Grafana variable in queries and links: `${name}`. */
export const variable = (name: string) => `\${${name}}`;

/** Matchers of the cluster, job and instance selected at the top of a dashboard. */
export const CHOSEN = 'cluster=~"$cluster", job=~"$job", instance=~"$instance"';

/** One line per process: a replica, or its primary and workers. `label_join` sets the label even without `worker`. */
export const byProcess = (expr: string) => ({
  '{{process}}': `label_join(${expr}, "process", " ", "instance", "worker")`,
});

const DURATION = 'http_request_duration_seconds';
const WINDOW = '$__rate_interval';

/** Which series an expression selects, how it sums them, and over which window. */
export interface Scope {
  /** Label matchers. Default: {@link CHOSEN}. */
  matchers?: string;
  /** Labels to keep. Default: none, which returns one series. */
  by?: readonly string[];
  /** A duration. Default: `$__rate_interval`, which follows the scrape interval. */
  window?: string;
}

/** Sum of the rates of a counter or a native histogram. */
export function rate(metric: string, { matchers = CHOSEN, by = [], window = WINDOW }: Scope = {}): string {
  const sum = by.length > 0 ? `sum by (${by.join(', ')}) ` : 'sum';
  return `${sum}(rate(${metric}{${matchers}}[${window}]))`;
}

/** Responses per second, optionally only those whose status code matches the regular expression `codes`. */
export function responses(scope: Scope = {}, codes?: string): string {
  const matchers = scope.matchers ?? CHOSEN;
  const matching = codes ? `${matchers}, code=~"${codes}"` : matchers;
  return rate(`${DURATION}_count`, { ...scope, matchers: matching });
}

/** Responses with those codes as a share of all responses; no value without traffic. */
export function shareOf(codes: string, scope: Scope = {}): string {
  return `${responses(scope, codes)} / (${responses(scope)} > 0)`;
}

/** Like {@link shareOf} for codes from 400 up on all routes, calculated from the counter that has exemplars. */
export function errorsOf(codes: string): string {
  return `${rate('http_errors_total', { matchers: `${CHOSEN}, code=~"${codes}"` })} / (${responses()} > 0)`;
}

/**
 * Responses per second that burn a budget: failed, or slower than the objective. Rounded, because Prometheus adds the two sums
 * in different orders, so that their difference may be 1e-15 instead of 0.
 */
export function badResponses(objectiveSeconds: number, scope: Scope = {}): string {
  const matchers = `${scope.matchers ?? CHOSEN}, code!~"5..", le="${objectiveSeconds}"`;
  return `round(${responses(scope)} - ${rate(`${DURATION}_bucket`, { ...scope, matchers })}, 1e-9)`;
}

/**
 * The q-quantile of the request duration in seconds: from the native histogram if Prometheus has one, otherwise interpolated
 * from the classic buckets. `>= 0` drops the NaN of an empty histogram.
 */
export function quantile(q: number, scope: Scope = {}): string {
  const native = `histogram_quantile(${q}, ${rate(DURATION, scope)}) >= 0`;
  const by = ['le', ...(scope.by ?? [])];
  const classic = `histogram_quantile(${q}, ${rate(`${DURATION}_bucket`, { ...scope, by })}) >= 0`;
  return `(${native}) or (${classic})`;
}

/** The description of every panel with quantiles includes this text. */
export const QUANTILE_CAVEAT =
  'Percentiles are accurate to 4.4 % with native histograms, and to the width of the bucket with classic buckets.';

/** The number of routes that a panel shows as separate series; the others are summed as "other routes". */
export const TOP = 12;

/** The busiest routes of the time range, for the right side of `and`; the same at every step of a graph. */
export const TOP_ROUTES = `topk(${TOP}, sum by (path, method) (increase(http_requests_total{${CHOSEN}}[$__range] @ end())))`;
