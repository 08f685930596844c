/** Each rule of the linter finds its mistake in a panel that is otherwise right. */
import { describe, expect, it } from '@jest/globals';
import { dashboards, toJson } from '../src/dashboards.ts';
import { Panel, rules } from './lint.ts';

/** A panel of the generated JSON, by its title. */
function panelOf(title: string): Panel {
  const all = dashboards.flatMap(
    (dashboard) => (JSON.parse(toJson(dashboard)) as { panels: unknown[] }).panels,
  );
  const found = all.map((one) => Panel.safeParse(one).data).find((panel) => panel?.title === title);
  if (!found) throw new Error(`no panel "${title}"`);
  return found;
}

/** For each rule a panel, and what breaks it: another value at a path, or another text in its queries. */
const BROKEN: Record<string, [title: string, what: string | RegExp, value?: unknown]> = {
  'says what it shows, when to investigate and where to look next, with a link': [
    'Processes',
    'description',
    'Processes.\n\n**Investigate** if needed.\n\n**See also** nothing.',
  ],
  'has a unit': ['Processes', 'fieldConfig.defaults.unit'],
  'says in words that it has no value': ['Processes', 'fieldConfig.defaults.noValue', 'No data'],
  'has an axis that begins at 0 and reaches somewhere without data': [
    'Scrape duration',
    'fieldConfig.defaults.custom.axisSoftMax',
  ],
  'ends a share at an upper limit': ['CPU, share of one core', 'fieldConfig.defaults.max'],
  'has an axis whose marks differ: whole numbers over at least 4, or decimals left to Grafana': [
    'Scrape duration',
    'fieldConfig.defaults.decimals',
    2,
  ],
  'shows lone samples and leaves gaps': [
    'Scrape duration',
    'fieldConfig.defaults.custom.showPoints',
    'never',
  ],
  'has a legend that fits: a table for few series, a list for many': [
    'Availability: burn rate by window',
    'options.legend.displayMode',
    'table',
  ],
  'takes its colours from the table': ['Processes', 'fieldConfig.defaults.thresholds.steps.0.color', 'green'],
  'has no hard-coded window': ['CPU, share of one core', /\$__rate_interval/, '1m'],
  'tells apart a bounded number of routes when it shows counters': [
    'Requests by path and method',
    /topk\(\d+, (.*)\)\)$/,
    '$1)',
  ],
  'writes large numbers with separators': ['Series in memory', 'fieldConfig.defaults.unit', 'none'],
  'shows as one number what no graph shows for its last moment': ['p99', /\$__range/g, '$__rate_interval'],
  'has room for the ten rows that the routes of the API take': [
    'Routes, those that hurt first',
    'gridPos.h',
    11,
  ],
  'leads from a route to its own view': ['Requests by path and method', 'fieldConfig.defaults.links', []],
  'asks the native histogram first, and says what a classic one can tell': ['p99 by replica', /^.* or /, ''],
  'draws a histogram from one kind at a time, native where there is one': [
    'Latency distribution',
    / unless on .*$/,
    '',
  ],
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

  it('passes as it is', () => {
    expect(check(panelOf(title))).toBe(false);
  });

  it('does not pass where that is broken', () => {
    expect(check(damage(panelOf(title), what, value))).toEqual(expect.any(String));
  });
});
