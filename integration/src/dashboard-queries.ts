// What the dashboards ask, ready for a Prometheus: the queries of all panels, and the values that Grafana would give the
// variables that are themselves queries.
import type { Dashboard, VariableModel } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus';
import { dashboards } from '../../grafana/src/dashboards.ts';
import { fillVariables } from '../../grafana/src/promql.ts';
import { query, type Sample } from './prometheus-api.ts';

export type Values = Record<string, string>;

/** What Grafana puts in the place of its variables: every job, replica and route, four scrape intervals. */
export const EVERYTHING: Values = {
  ...{ job: '.+', instance: '.+', path: '.+', method: '.+' },
  ...{ __rate_interval: '20s', __range: '15m' },
};

export interface PanelQuery {
  /** `dashboard / panel: legend`. */
  name: string;
  legend: string;
  /** With Grafana's variables. */
  expr: string;
}

export const panelQueries: PanelQuery[] = dashboards.flatMap(({ title, panels = [] }) =>
  panels.flatMap((panel) =>
    (('targets' in panel ? panel.targets : undefined) ?? []).map((target, i) => {
      const { expr, legendFormat: legend = '' } = target as Dataquery;
      return { name: `${title} / ${panel.title}: ${legend} (${i})`, expr, legend };
    }),
  ),
);

/** How Grafana writes a series of a `query_result`, for the variable's regular expression to read. */
function toText({ labels, value, atMs }: Sample & { atMs: number }): string {
  const pairs = Object.entries(labels).map(([name, text]) => `${name}="${text}"`);
  return `{${pairs.join(',')}} ${value} ${atMs}`;
}

/** The first choice of each `query_result` variable, in the order in which they depend on each other; its words as `<name>_text`. */
export async function chooseFirst(prometheusUrl: string): Promise<Values> {
  const values = { ...EVERYTHING };
  for (const { name, query: asked, regex } of dashboards.flatMap(variablesOf)) {
    const [, expr] = /^query_result\((.*)\)$/s.exec(String(asked)) ?? [];
    if (!expr) continue;
    const found = await query(prometheusUrl, fillVariables(expr, values));
    const pattern = new RegExp((regex ?? '').replace(/^\/|\/$/g, ''));
    const [first] = found.map((sample) => pattern.exec(toText({ ...sample, atMs: Date.now() })));
    const value = first?.groups?.value;
    if (value === undefined) throw new Error(`no value for the variable ${name}: ${JSON.stringify(found)}`);
    values[name] = value;
    if (first?.groups?.text) values[`${name}_text`] = first.groups.text;
  }
  return values;
}

const variablesOf = ({ templating }: Dashboard): VariableModel[] => templating?.list ?? [];
