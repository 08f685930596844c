// What all dashboards share: variables, annotations, the links between them, and the grid. The content of each dashboard is
// in its own file; panels.ts draws single panels.
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import * as sdk from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { STATE_COLORS } from './colors.ts';
import { DATASOURCE } from './panel.ts';

const TAG = 'observability-stack';
const GRID_COLUMNS = 24;

/** One dashboard: its identity, the series that feed its variables, and its rows from top to bottom. */
export interface DashboardSpec {
  /** Must not change: it is part of the dashboard's URL. */
  uid: string;
  title: string;
  description: string;
  /**
   * The labels that the user can filter by (initially all values), and the metric that has them. Only `job` if the panels show a
   * service as a whole, independent of the number of replicas.
   */
  choose?: { metric: string; labels: readonly ('job' | 'instance' | 'path' | 'method')[] };
  /** Initial start of the time range, and initial refresh interval. */
  from?: string;
  refresh?: string;
  rows: readonly Row[];
}

/** A row with a title. Its panels flow from left to right and wrap at the grid's 24 columns. */
export interface Row {
  title: string;
  panels: readonly Builder<sdk.Panel>[];
}

/** Builds a read-only dashboard in Grafana's classic JSON model, and assigns panel ids and grid positions. */
export function createDashboard(spec: DashboardSpec): sdk.Dashboard {
  const builder = new sdk.DashboardBuilder(spec.title)
    .uid(spec.uid)
    .description(spec.description)
    .tags([TAG])
    .readonly()
    .refresh(spec.refresh ?? '5s')
    .time({ from: spec.from ?? 'now-5m', to: 'now' })
    .tooltip(sdk.DashboardCursorSync.Crosshair)
    .variables(createVariables(spec))
    .annotations(spec.choose ? createAnnotations() : [])
    .links([{ build: createLink }]);
  return { ...builder.build(), panels: placeRows(spec) };
}

function createVariables({ choose }: DashboardSpec) {
  if (!choose) return [];
  const { metric } = choose;
  const labels = ['cluster', ...choose.labels] as const;
  const variables = labels.map((label, index) => {
    // Each variable narrows the choices of those after it.
    const before = labels.slice(0, index).map((name) => `${name}=~"$${name}"`);
    const builder = new sdk.QueryVariableBuilder(label)
      .label(label.replace(/^./, (first) => first.toUpperCase()))
      .datasource(DATASOURCE)
      .query(`label_values(${metric}{${before.join(', ')}}, ${label})`.replace('{}', ''))
      .refresh(sdk.VariableRefresh.OnTimeRangeChanged)
      .sort(sdk.VariableSort.NaturalAsc)
      .multi(true)
      // "All" expands to the listed values, not to `.+`, which would include Prometheus' own process metrics.
      .includeAll(true)
      .current({ selected: true, text: 'All', value: '$__all' });
    // Only samples that were forwarded have this label, so "All" includes series without it. Grafana cannot hide a variable that
    // has no values.
    return label === 'cluster' ? builder.allValue('.*') : builder;
  });
  const datasource = new sdk.DatasourceVariableBuilder('datasource').label('Source').type('prometheus');
  return [datasource, ...variables];
}

function createAnnotations() {
  const annotation = (name: string, color: string, expr: string) =>
    new sdk.AnnotationQueryBuilder()
      .name(name)
      .datasource(DATASOURCE)
      .enable(true)
      .iconColor(color)
      .placement(sdk.AnnotationQueryPlacement.InControlsMenu)
      // Grafana 9 reads the query from here, later versions from `target`.
      .expr(expr)
      .target(new DataqueryBuilder().refId('Anno').expr(expr).interval('15s'));
  return [
    // The value is a Unix time in seconds; Grafana expects the annotation's time in milliseconds.
    annotation('Restarts', STATE_COLORS.watch, 'last_over_time(process_start_time_seconds[5m]) * 1000')
      .useValueForTime(true)
      .titleFormat('{{job}} started: {{instance}}'),
    // One region per alert, for any number of windows and replicas.
    annotation(
      'Pages',
      STATE_COLORS.page,
      'max by (alertname) (ALERTS{alertstate="firing", severity="page"})',
    ).titleFormat('{{alertname}}'),
  ];
}

/** One menu with a link to every dashboard of the stack. Links keep the time range and the variables. */
function createLink(): sdk.DashboardLink {
  return {
    title: 'Dashboards',
    type: sdk.DashboardLinkType.Dashboards,
    icon: 'external link',
    tooltip: 'Other dashboards, with the same time range',
    tags: [TAG],
    asDropdown: true,
    targetBlank: false,
    includeVars: true,
    keepTime: true,
  };
}

function placeRows({ uid, title: name, rows }: DashboardSpec) {
  /** How a panel that several dashboards share refers to one of them; left out on that dashboard. */
  const here = ` in [${name}](/d/${uid})`;
  let id = 0;
  let y = 0;
  return rows.flatMap(({ title, panels }) => {
    const heading = new sdk.RowBuilder(title).id(++id).gridPos({ x: 0, y, w: GRID_COLUMNS, h: 1 }).build();
    let x = 0;
    let shelfHeight = 0;
    y += 1;
    const placed = panels.map((builder) => {
      const panel = builder.build();
      const { w, h } = panel.gridPos ?? { w: GRID_COLUMNS, h: 8 };
      if (x + w > GRID_COLUMNS) {
        y += shelfHeight;
        x = 0;
        shelfHeight = 0;
      }
      const described = panel.description && { description: panel.description.replace(here, '') };
      const placedPanel = { ...panel, ...described, id: ++id, gridPos: { x, y, w, h } };
      x += w;
      shelfHeight = Math.max(shelfHeight, h);
      return placedPanel;
    });
    y += shelfHeight;
    return [heading, ...placed];
  });
}
