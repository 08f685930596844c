// Reads PromQL with Prometheus' own grammar, so that tests can ask what a query names and how it is wrapped.
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

/** Puts values in the place of Grafana's variables (`$job`); a variable without a value is an error. */
export function fillVariables(expr: string, values: Readonly<Record<string, string>>): string {
  return expr.replace(/\$([a-z_]\w*)/g, (variable, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`no value for ${variable} in ${expr}`);
    return value;
  });
}
