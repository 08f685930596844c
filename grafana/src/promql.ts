// PromQL, read and written. Read with Prometheus' own grammar, so that tests can ask what a query names and how it is
// wrapped; written once for all panels, so that a rate, a share or a quantile is the same everywhere.
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

/** What a query names. */
export interface ParsedQuery {
  selectors: Selector[];
  /** Labels that it groups by or matches on. */
  groupings: string[];
}

/**
 * Parses a query whose Grafana variables are filled in.
 * @throws SyntaxError with the place, where the grammar does not accept it
 */
export function parsePromql(expr: string): ParsedQuery {
  const query: ParsedQuery = { selectors: [], groupings: [] };
  const functions: string[] = [];
  const ranges: string[] = [];
  parser.parse(expr).iterate({
    enter(node) {
      const text = expr.slice(node.from, node.to);
      if (node.type.isError) throw new SyntaxError(`PromQL: unexpected "${text}" at ${node.from} of ${expr}`);
      const selector = query.selectors.at(-1);
      switch (node.name) {
        case 'FunctionCall':
          functions.unshift(expr.slice(node.from, expr.indexOf('(', node.from)).trim());
          break;
        case 'MatrixSelector':
          ranges.push(text.slice(text.lastIndexOf('[') + 1, -1));
          break;
        case 'VectorSelector': {
          const range = ranges.at(-1);
          const named = { metric: '', matchers: [], functions: [...functions] };
          query.selectors.push(range === undefined ? named : { ...named, range });
          break;
        }
        case 'Identifier':
          if (selector && node.node.parent?.name === 'VectorSelector') selector.metric = text;
          break;
        case 'UnquotedLabelMatcher': {
          const [, label = '', operator = '', value = ''] =
            /^(\w+)\s*(=~|!~|!=|=)\s*["'](.*)["']$/s.exec(text) ?? [];
          selector?.matchers.push({ label, operator, value });
          break;
        }
        case 'LabelName':
          if (node.node.parent?.name === 'GroupingLabels') query.groupings.push(text);
      }
    },
    leave(node) {
      if (node.name === 'FunctionCall') functions.shift();
      if (node.name === 'MatrixSelector') ranges.pop();
    },
  });
  return query;
}

/** Puts values in the place of Grafana's variables (`$job`, `${job}`); a variable without a value is an error. */
export function fillVariables(expr: string, values: Readonly<Record<string, string>>): string {
  return expr.replace(/\$\{?([a-z_]\w*)\}?/g, (variable, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`no value for ${variable} in ${expr}`);
    return value;
  });
}

/** One of Grafana's variables as it stands in queries and links: `${name}`. */
export const variable = (name: string) => `\${${name}}`;

/** Series of what is chosen at the top of a dashboard. */
export const CHOSEN = 'job=~"$job", instance=~"$instance"';

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

const sumBy = (labels: readonly string[]) => (labels.length > 0 ? `sum by (${labels.join(', ')}) ` : 'sum');

function sumOfRates(metric: string, { matchers = CHOSEN, by = [], window = WINDOW }: Scope) {
  return `${sumBy(by)}(rate(${metric}{${matchers}}[${window}]))`;
}

/** Sum of the rates of a counter. */
export function rate(counter: string, scope: Scope = {}): string {
  return sumOfRates(counter, scope);
}

/** Responses per second; of the status codes that match, where `codes` is given. */
export function responses(scope: Scope = {}, codes?: string): string {
  const matchers = scope.matchers ?? CHOSEN;
  return rate(`${DURATION}_count`, {
    ...scope,
    matchers: codes ? `${matchers}, code=~"${codes}"` : matchers,
  });
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
  const native = `histogram_quantile(${q}, ${sumOfRates(DURATION, scope)}) >= 0`;
  const by = ['le', ...(scope.by ?? [])];
  const classic = `histogram_quantile(${q}, ${sumOfRates(`${DURATION}_bucket`, { ...scope, by })}) >= 0`;
  return `(${native}) or (${classic})`;
}

/** What the description of a panel with quantiles has to say. */
export const QUANTILE_CAVEAT =
  'From a native histogram it is exact to a few per cent. From classic buckets it is only known to lie within its bucket, the band of *Latency distribution*, and interpolated there.';

/** How many series a panel tells apart; beyond that they are summed up as the rest. */
export const TOP = 12;

/** The most requested routes of the time range, to intersect with (`and`); the same at every step of a graph. */
export const topRoutes = (matchers = CHOSEN) =>
  `topk(${TOP}, sum by (path, method) (increase(http_requests_total{${matchers}}[$__range] @ end())))`;
