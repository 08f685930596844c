/** Each rule of the linter detects its mistake in an otherwise correct panel. */
import { describe, expect, it } from '@jest/globals';
import { dashboards, toJson } from '../src/dashboards.ts';
import { Panel, rules } from './lint.ts';

/** A panel of the generated JSON, by its title. */
function panelOf(title: string): Panel {
  const all = dashboards.flatMap(
    (dashboard) => (JSON.parse(toJson(dashboard)) as { panels: unknown[] }).panels,
  );
  const found = all.map((one) => Panel.safeParse(one).data).find((panel) => panel?.title === title);
  if (!found) throw new Error(`expected a panel "${title}"`);
  return found;
}

/** For each rule, a panel and a change that breaks it: a value for a property path, or a replacement in the queries. */
const BROKEN: Record<string, [title: string, what: string | RegExp, value?: unknown]> = {
  'says what it shows, when to investigate and where to look next, with a link': [
    'Processes',
    'description',
    'Processes.\n\n**Investigate** if needed.\n\n**See also** nothing.',
  ],
  'has a unit': ['Processes', 'fieldConfig.defaults.unit'],
  'has its own text for a missing value': ['Processes', 'fieldConfig.defaults.noValue', 'No data'],
  'has an axis that starts at 0 and has a height even without data': [
    'Scrape duration',
    'fieldConfig.defaults.custom.axisSoftMax',
  ],
  'limits the axis of a share': ['CPU, share of one core', 'fieldConfig.defaults.max'],
  'has distinct axis labels: whole numbers up to at least 4, or decimals chosen by Grafana': [
    'Scrape duration',
    'fieldConfig.defaults.decimals',
    2,
  ],
  'draws single samples as points and missing samples as gaps': [
    'Scrape duration',
    'fieldConfig.defaults.custom.showPoints',
    'never',
  ],
  'has a table as legend for few series only': [
    'Availability: burn rate by window',
    'options.legend.displayMode',
    'table',
  ],
  'uses only colours of colors.ts': ['Processes', 'fieldConfig.defaults.thresholds.steps.0.color', 'green'],
  'hard-codes no window': ['CPU, share of one core', /\$__rate_interval/, '1m'],
  'shows a bounded number of routes when it shows counters': [
    'Requests by path and method',
    /topk\(\d+, (.*)\)\)$/,
    '$1)',
  ],
  'shows large numbers with separators': ['Series in memory', 'fieldConfig.defaults.unit', 'none'],
  'shows no current rate as a single number': ['p99', /\$__range/g, '$__rate_interval'],
  'has room for the ten routes of the API': ['Routes, worst first', 'gridPos.h', 11],
  'links each route to its details': ['Requests by path and method', 'fieldConfig.defaults.links', []],
  'queries the native histogram first, and states the accuracy of a classic one': [
    'p99 by replica',
    /^.* or /,
    '',
  ],
  'draws only one kind of histogram, native if there is one': ['Latency distribution', / unless on .*$/, ''],
};

function damage(panel: Panel, what: string | RegExp, value: unknown): Panel {
  if (typeof what !== 'string') {
    for (const target of panel.targets) target.expr = target.expr.replace(what, String(value));
    return panel;
  }
  const keys = what.split('.');
  const last = keys.pop() ?? '';
  let part: Record<string, unknown> = panel;
  for (const key of keys) part = part[key] as Record<string, unknown>;
  part[last] = value;
  return panel;
}

describe.each(Object.entries(rules))('a panel %s', (name, check) => {
  const [title, what, value] = BROKEN[name] ?? ['', ''];

  it('passes unchanged', () => {
    expect(check(panelOf(title))).toBe(false);
  });

  it('fails when broken', () => {
    expect(check(damage(panelOf(title), what, value))).toEqual(expect.any(String));
  });
});
