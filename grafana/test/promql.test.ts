import { describe, expect, it } from '@jest/globals';
import { fillVariables, parsePromql } from '../src/promql.ts';

describe('parsePromql', () => {
  it('returns each selector with its matchers, its window and the functions around it', () => {
    const expr =
      'histogram_quantile(0.5, sum by (le, path) (rate(x_bucket{job=~"api", le!="1"}[1m]))) / on (slo) y';
    expect(parsePromql(expr)).toEqual([
      {
        metric: 'x_bucket',
        matchers: [
          { label: 'job', operator: '=~', value: 'api' },
          { label: 'le', operator: '!=', value: '1' },
        ],
        range: '1m',
        functions: ['rate', 'histogram_quantile'],
      },
      { metric: 'y', matchers: [], functions: [] },
    ]);
  });

  it.each(['sum(', 'rate(x[)', 'a b', 'sum by (x) (y) on'])(
    'reports the position of the error in %s',
    (expr) => {
      expect(() => parsePromql(expr)).toThrow(/unexpected ".*" at \d+/);
    },
  );
});

describe('fillVariables', () => {
  it('replaces every variable and leaves the groups of a regular expression alone', () => {
    const expr = 'label_replace(rate(x{job=~"$job"}[$__rate_interval]), "a", "$1", "b", "(.+)")';
    expect(fillVariables(expr, { job: 'api', __rate_interval: '20s' })).toBe(
      'label_replace(rate(x{job=~"api"}[20s]), "a", "$1", "b", "(.+)")',
    );
  });

  it('throws if a variable has no value', () => {
    expect(() => fillVariables('x{job="$job"}', {})).toThrow('$job: expected a value, got none');
  });
});
