/**
 * What can be known about the dashboards without Grafana: the committed JSON is what the code generates, and it keeps the
 * rules of Grafana's dashboard linter (https://github.com/grafana/dashboard-linter/tree/main/docs/rules), our own for the
 * layout, and what a person needs to read a panel.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { dashboards, toJson } from '../src/dashboards.ts';
import { fillVariables, parsePromql, type Selector } from '../src/promql.ts';

const folder = new URL('../dashboards/', import.meta.url);
const files = readdirSync(folder);

const datasource = z.strictObject({ type: z.literal('prometheus'), uid: z.literal('$datasource') });
const target = z.looseObject({ refId: z.string(), expr: z.string(), legendFormat: z.string(), datasource });
const gridPos = z.strictObject({ x: z.number(), y: z.number(), w: z.number(), h: z.number() });
const row = z.looseObject({ type: z.literal('row'), id: z.number(), title: z.string(), gridPos });
const panel = z.looseObject({
  type: z.enum(['stat', 'bargauge', 'timeseries', 'heatmap', 'state-timeline', 'table']),
  id: z.number(),
  title: z.string().min(1),
  // Long enough to say how to read it, and a sentence.
  description: z.string().min(40).regex(/\.$/),
  datasource,
  gridPos,
  targets: z.array(target).min(1),
  fieldConfig: z.looseObject({
    defaults: z.looseObject({ unit: z.string().min(1), noValue: z.string().min(1) }),
  }),
});
const variable = z.looseObject({ name: z.string(), type: z.string(), query: z.string() });
const Dashboard = z.looseObject({
  uid: z.string(),
  title: z.string(),
  editable: z.literal(false),
  panels: z.array(z.union([row, panel])),
  templating: z.strictObject({ list: z.array(variable) }),
  annotations: z.strictObject({
    list: z.array(
      z.looseObject({ name: z.string(), target: z.looseObject({ expr: z.string() }), datasource }),
    ),
  }),
  links: z.array(z.looseObject({ keepTime: z.literal(true), includeVars: z.literal(true) })).min(1),
});
type Panel = z.infer<typeof panel>;

/** Counters that are shown as they are, because the lab asks how many there were: increase() would extrapolate. */
const SHOWN_AS_TOTALS = [
  'Requests in total',
  'Most requested',
  'Errors in total',
  'Requests by path and method',
  'Errors by code',
];
/** Alerts concern every job, and an alert on a missing target has no instance. */
const WITHOUT_MATCHERS = ['ALERTS'];
const FILLED = { job: 'api', instance: 'a', __rate_interval: '20s', __range: '15m' };

const selectorsOf = ({ targets }: Panel): Selector[] =>
  targets.flatMap(({ expr }) => parsePromql(fillVariables(expr, FILLED)).selectors);

it('has one file for each dashboard', () => {
  expect(files.sort()).toEqual(dashboards.map(({ uid }) => `${uid}.json`).sort());
});

describe.each(files)('%s', (file) => {
  const text = readFileSync(new URL(file, folder), 'utf8');
  const dashboard = Dashboard.parse(JSON.parse(text));
  const panels = dashboard.panels.filter((entry): entry is Panel => entry.type !== 'row');
  const variables = dashboard.templating.list.map(({ name }) => name);

  it('is what `npm run generate --workspace grafana` writes', () => {
    expect(text).toBe(
      toJson(dashboards.find(({ uid }) => `${uid}.json` === file) as (typeof dashboards)[number]),
    );
  });

  it('lets the data source and the job be chosen, and asks again when the time range changes', () => {
    expect(variables.slice(0, 2)).toEqual(['datasource', 'job']);
    for (const { name, ...labels } of dashboard.templating.list.slice(1)) {
      expect({ name, ...labels }).toMatchObject({
        refresh: 2,
        multi: true,
        includeAll: true,
        datasource: { uid: '$datasource' },
      });
    }
  });

  it('marks load runs, restarts and firing alerts', () => {
    expect(dashboard.annotations.list.map(({ name }) => name)).toEqual([
      'Load starts',
      'Load ends',
      'Restarts',
      'Firing alerts',
    ]);
    for (const { target } of dashboard.annotations.list)
      expect(parsePromql(target.expr).selectors).toHaveLength(1);
  });

  it('has unique panel ids and titles', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    const titles = panels.map(({ title }) => title);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(titles).size).toBe(titles.length);
  });

  it('places panels on the grid without overlap, in rows that are filled', () => {
    const taken = new Map<string, string>();
    for (const { title, gridPos } of dashboard.panels) {
      expect({ title, fits: gridPos.x >= 0 && gridPos.x + gridPos.w <= 24 }).toEqual({ title, fits: true });
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect({ title, overlaps: taken.get(`${x},${y}`) }).toEqual({ title, overlaps: undefined });
          taken.set(`${x},${y}`, title);
        }
      }
    }
    const height = Math.max(...dashboard.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
    expect(taken.size).toBe(24 * height);
  });

  it('can be read at 800 pixels: panels are wide enough, and titles fit into them', () => {
    // 24 columns of 800 pixels less margins are 32 pixels each; a letter of a title is 7.5 wide, its icon and padding 50.
    for (const { title, type, gridPos } of panels) {
      expect({ title, width: gridPos.w >= (type === 'stat' ? 6 : 12) }).toEqual({ title, width: true });
      expect({ title, fits: title.length * 7.5 + 50 <= gridPos.w * 32 }).toEqual({ title, fits: true });
    }
  });

  describe.each(panels.map((each) => [each.title, each] as const))('%s', (_title, each) => {
    it('asks in PromQL', () => {
      expect(selectorsOf(each).every(({ metric }) => metric !== '')).toBe(true);
      expect(new Set(each.targets.map(({ refId }) => refId)).size).toBe(each.targets.length);
    });

    it('matches on every label that can be chosen', () => {
      for (const { metric, matchers } of selectorsOf(each)) {
        if (WITHOUT_MATCHERS.includes(metric) || metric.startsWith('slo:')) continue;
        const matched = matchers.filter(({ operator }) => operator === '=~').map(({ label }) => label);
        expect({ metric, matched }).toMatchObject({
          metric,
          matched: expect.arrayContaining(variables.slice(1)),
        });
      }
    });

    it('wraps counters in rate or increase, over a window that follows the scrape interval', () => {
      const counter = /_(total|bucket|count|sum)$/;
      for (const { metric, functions, range } of selectorsOf(each)) {
        const wrapped = ['rate', 'increase'].includes(functions[0] ?? '');
        if (!SHOWN_AS_TOTALS.includes(each.title)) {
          expect({ metric, wrapped }).toEqual({ metric, wrapped: counter.test(metric) });
        }
        if (functions[0] === 'rate')
          expect({ metric, range }).toEqual({ metric, range: FILLED.__rate_interval });
      }
    });
  });
});
