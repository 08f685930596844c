// The queries of all panels, and values for their variables.
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus';
import { dashboards } from '../../grafana/src/dashboards.ts';

/** Values of Grafana's variables: every job, replica and route, four scrape intervals. */
export const EVERYTHING = {
  ...{ cluster: '.*', job: '.+', instance: '.+', path: '.+', method: '.+' },
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
