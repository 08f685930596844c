/** Each rule of the linter finds what it is there to find, in a panel that is otherwise well. */
import { describe, expect, it } from '@jest/globals';
import { dashboards, toJson } from '../src/dashboards.ts';
import { Panel, rules } from './lint.ts';

type Change = (panel: Panel) => void;

/** A panel of the generated JSON, by its title. */
function panelOf(title: string): Panel {
  for (const dashboard of dashboards) {
    const { panels } = JSON.parse(toJson(dashboard)) as {
      panels: { title: string; type: string }[];
    };
    const found = panels.find((panel) => panel.title === title && panel.type !== 'row');
    if (found) return Panel.parse(found);
  }
  throw new Error(`no panel "${title}"`);
}

const edit = (panel: Panel, change: Change): Panel => {
  change(panel);
  return panel;
};
const query =
  (from: string | RegExp, to: string): Change =>
  (panel) => {
    for (const target of panel.targets) target.expr = target.expr.replace(from, to);
  };

const BROKEN: Record<string, [title: string, Change]> = {
  'says what it shows, when to worry and where to look next, with a link': [
    'Processes',
    (panel) => {
      panel.description = panel.description.replace(/\(\/d\/.*\)/, '');
    },
  ],
  'has a unit': ['Processes', ({ fieldConfig }) => delete fieldConfig.defaults.unit],
  'says in words that it has no value': [
    'Processes',
    ({ fieldConfig }) => {
      fieldConfig.defaults.noValue = 'No data';
    },
  ],
  'has an axis that begins at 0 and reaches somewhere without data': [
    'Scrape duration',
    ({ fieldConfig }) => delete fieldConfig.defaults.custom?.axisSoftMax,
  ],
  'ends a share at an upper limit': [
    'CPU, share of one core',
    ({ fieldConfig }) => delete fieldConfig.defaults.max,
  ],
  'has an axis whose marks differ: whole numbers over at least 4, or decimals left to Grafana': [
    'Scrape duration',
    ({ fieldConfig }) => {
      fieldConfig.defaults.decimals = 2;
    },
  ],
  'shows lone samples and leaves gaps': [
    'Scrape duration',
    ({ fieldConfig }) => {
      fieldConfig.defaults.custom = { ...fieldConfig.defaults.custom, showPoints: 'never' };
    },
  ],
  'has a legend that fits: a table for few series, a list for many': [
    'Availability: burn rate by window',
    ({ options }) => {
      options.legend = { displayMode: 'table' };
    },
  ],
  'takes its colours from the table': [
    'Processes',
    ({ fieldConfig }) => {
      fieldConfig.defaults.thresholds = { steps: [{ color: 'green' }] };
    },
  ],
  'has no hard-coded window': ['CPU, share of one core', query('$__rate_interval', '1m')],
  'tells apart a bounded number of routes when it shows counters': [
    'Requests by path and method',
    query(/topk\(\d+, (.*)\)\)$/, '$1)'),
  ],
  'writes large numbers with separators': [
    'Series in memory',
    ({ fieldConfig }) => {
      fieldConfig.defaults.unit = 'none';
    },
  ],
  'shows as one number what no graph shows for its last moment': [
    'p99',
    query(/\$__range/g, '$__rate_interval'),
  ],
  'has room for the ten rows that the routes of the API take': [
    'Routes, those that hurt first',
    ({ gridPos }) => {
      gridPos.h = 11;
    },
  ],
  'leads from a route to its own view': [
    'Requests by path and method',
    ({ fieldConfig }) => {
      fieldConfig.defaults.links = [];
    },
  ],
  'asks the native histogram first, and says what a classic one can tell': [
    'p99 by replica',
    query(/^.* or /, ''),
  ],
  'draws a histogram from one kind at a time, native where there is one': [
    'Latency distribution',
    query(/ unless on .*$/, ''),
  ],
};

describe.each(Object.entries(rules))('a panel %s', (name, check) => {
  const [title, change] = BROKEN[name] ?? ['', () => undefined];

  it('passes as it is', () => {
    expect(check(panelOf(title))).toBe(false);
  });

  it('does not pass where that is broken', () => {
    expect(check(edit(panelOf(title), change))).toEqual(expect.any(String));
  });
});
