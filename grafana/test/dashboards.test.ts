/** Checks of the dashboards that need no Grafana: our rules for panels (lint.ts), links, layout and PromQL. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { dashboards, toJson } from '../src/dashboards.ts';
import { fillVariables, parsePromql, type Selector } from '../src/promql.ts';
import { gridPos, KNOWN_COLORS, Panel, rules } from './lint.ts';

/** Panels without queries. */
const Text = z.looseObject({
  type: z.enum(['row', 'text']),
  id: z.number(),
  title: z.string().min(1),
  gridPos,
});
const named = z.looseObject({ name: z.string() });
const Dashboard = z.looseObject({
  description: z.string().min(20),
  editable: z.literal(false),
  panels: z.array(z.union([Text, Panel])),
  templating: z.strictObject({ list: z.array(named) }),
  annotations: z.strictObject({ list: z.array(named.extend({ expr: z.string() })) }),
  links: z.array(z.looseObject({})).min(1),
});

/** These show raw counters, because the lab asks for exact counts and increase() extrapolates. */
const SHOWN_AS_TOTALS = [
  'Total requests',
  'Most requested',
  'Total errors',
  'Requests by path and method',
  'Errors by code',
];
/** Alerts concern every job, and one about a missing target has no instance. The state depends on all targets. */
const WITHOUT_MATCHERS = ['ALERTS', 'up'];
const FILLED = {
  ...{ cluster: '', job: 'api', instance: 'a', path: 'products', method: 'get' },
  ...{ __rate_interval: '20s', __range: '15m' },
};
/** The labels that panels must match if the user can select their values. */
const LABELS = ['cluster', 'job', 'instance', 'path', 'method'];

const selectorsOf = ({ targets }: Panel): Selector[] =>
  targets.flatMap(({ expr }) => parsePromql(fillVariables(expr, FILLED)));

it('there is one file per dashboard', () => {
  const files = readdirSync(new URL('../dashboards/', import.meta.url));
  expect(files.sort()).toEqual([...dashboards.map(({ uid }) => `${uid}.json`), 'kustomization.yaml'].sort());
});

describe.each(dashboards.map((each) => [each.uid, toJson(each)] as const))('%s', (uid, text) => {
  const dashboard = Dashboard.parse(JSON.parse(text));
  const panels = dashboard.panels.filter((entry): entry is Panel => 'targets' in entry);
  const variables = dashboard.templating.list.map(({ name }) => name);
  const labels = variables.filter((name) => LABELS.includes(name));

  it('starts with variables for data source and job, and refreshes them when the time range changes', () => {
    if (panels.length === 0) return expect(variables).toEqual([]);
    expect(variables.slice(0, 3)).toEqual(['datasource', 'cluster', 'job']);
    for (const each of dashboard.templating.list.slice(1)) {
      expect(each).toMatchObject({ refresh: 2, datasource: { uid: '$datasource' } });
      if (labels.includes(each.name)) expect(each).toMatchObject({ multi: true, includeAll: true });
    }
  });

  it('shows all variables, and "All" clusters include series without the label', () => {
    for (const { name, hide, label, allValue } of dashboard.templating.list) {
      expect({ name, hide: hide ?? 0 }).toEqual({ name, hide: 0 });
      expect(label).toMatch(/^[A-Z]/);
      expect({ name, allValue }).toEqual({ name, allValue: name === 'cluster' ? '.*' : undefined });
    }
  });

  it('annotates restarts and pages, in Grafana 9 and later', () => {
    const names = panels.length > 0 ? ['Restarts', 'Pages'] : [];
    expect(dashboard.annotations.list.map(({ name }) => name)).toEqual(names);
    for (const each of dashboard.annotations.list) {
      expect(parsePromql(each.expr)).toHaveLength(1);
      expect(each).toMatchObject({ datasource: { uid: '$datasource' }, target: { expr: each.expr } });
      expect(KNOWN_COLORS).toContain(each.iconColor);
    }
  });

  it('has one menu with links to the other dashboards', () => {
    expect(dashboard.links.at(-1)).toMatchObject({
      type: 'dashboards',
      asDropdown: true,
      keepTime: true,
      includeVars: true,
    });
  });

  it('links to dashboards that exist', () => {
    const linked = [...text.matchAll(/\/d\/([\w-]+)/g)].map(([, uid]) => uid);
    expect(dashboards.map(({ uid }) => uid)).toEqual(expect.arrayContaining(linked));
  });

  it('has no panel that refers to its own dashboard', () => {
    const referring = panels.filter(({ description }) => description.includes(`(/d/${uid})`));
    expect(referring.map(({ title }) => title)).toEqual([]);
  });

  it('has unique panel ids and titles', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    const titles = panels.map(({ title }) => title);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(titles).size).toBe(titles.length);
  });

  it('fills the grid without gaps or overlaps', () => {
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

  it('is readable at 800 pixels: panels are wide enough, and titles fit', () => {
    // 800 pixels minus margins leave 32 for each of 24 columns; a letter of a title takes 7.5, its icon and padding 50.
    for (const { title, type, gridPos } of panels) {
      expect({ title, width: gridPos.w >= (type === 'stat' ? 6 : 12) }).toEqual({ title, width: true });
      expect({ title, fits: title.length * 7.5 + 50 <= gridPos.w * 32 }).toEqual({ title, fits: true });
    }
  });

  // The runbook has no queries.
  if (panels.length === 0) return;

  describe.each(panels.map((each) => [each.title, each] as const))('%s', (_title, each) => {
    it('has valid PromQL', () => {
      expect(selectorsOf(each).every(({ metric }) => metric !== '')).toBe(true);
      expect(new Set(each.targets.map(({ refId }) => refId)).size).toBe(each.targets.length);
    });

    it.each(Object.entries(rules))('%s', (_rule, check) => {
      expect(check(each)).toBe(false);
    });

    it('matches on every label that the user can select', () => {
      for (const { metric, matchers } of selectorsOf(each)) {
        if (WITHOUT_MATCHERS.includes(metric) || metric.startsWith('slo:')) continue;
        const matched = matchers.filter(({ operator }) => operator === '=~').map(({ label }) => label);
        // Rules for the service as a whole record no other label.
        const expected = metric.startsWith('job_') ? ['cluster', 'job'] : labels;
        expect({ metric, matched }).toMatchObject({ metric, matched: expect.arrayContaining(expected) });
      }
    });

    it('wraps counters in rate or increase', () => {
      const counter = /_(total|bucket|count|sum)$|^http_request_duration_seconds$/;
      for (const { metric, functions } of selectorsOf(each)) {
        const wrapped = ['rate', 'increase', 'resets'].includes(functions[0] ?? '');
        if (!SHOWN_AS_TOTALS.includes(each.title)) {
          expect({ metric, wrapped }).toEqual({ metric, wrapped: counter.test(metric) });
        }
      }
    });
  });
});
