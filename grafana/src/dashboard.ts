// What every dashboard of the stack has in common: the variables, the annotations, the links to the others and the
// grid. What a dashboard shows stands in its own file; how one panel is drawn in panels.ts.
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  type DashboardLink,
  DashboardLinkType,
  DatasourceVariableBuilder,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { DATASOURCE } from './panels.ts';

const TAG = 'observability-stack';
const GRID_COLUMNS = 24;

/** One dashboard: its identity, the series that feed its variables, and its rows from top to bottom. */
export interface DashboardSpec {
  /** Stable: it is the dashboard's address. */
  uid: string;
  title: string;
  description: string;
  /** The metric whose `job` and `instance` labels can be chosen. */
  metric: string;
  /** `job` alone where the panels show a service as a whole, whatever the number of its replicas. */
  variables: readonly ('job' | 'instance')[];
  /** Start of the time range and pause between refreshes at first sight. */
  from?: string;
  refresh?: string;
  rows: readonly Row[];
}

/** A titled row. Its panels flow from left to right and wrap where the grid's 24 columns end. */
export interface Row {
  title: string;
  panels: readonly Builder<Panel>[];
}

/** Assembles a read-only dashboard in Grafana's classic JSON model, with panels numbered and placed. */
export function createDashboard(spec: DashboardSpec): Dashboard {
  const builder = new DashboardBuilder(spec.title)
    .uid(spec.uid)
    .description(spec.description)
    .tags([TAG])
    .readonly()
    .refresh(spec.refresh ?? '5s')
    .time({ from: spec.from ?? 'now-15m', to: 'now' })
    .tooltip(DashboardCursorSync.Crosshair)
    .variables(createVariables(spec))
    .annotations(createAnnotations())
    .links([{ build: createLink }]);
  return { ...builder.build(), panels: placeRows(spec.rows) };
}

function createVariables({ metric, variables }: DashboardSpec) {
  const labels = variables.map((label) =>
    new QueryVariableBuilder(label)
      .label(label === 'job' ? 'Job' : 'Instance')
      .datasource(DATASOURCE)
      .query(`label_values(${label === 'job' ? metric : `${metric}{job=~"$job"}`}, ${label})`)
      .refresh(VariableRefresh.OnTimeRangeChanged)
      .sort(VariableSort.NaturalAsc)
      .multi(true)
      // All of the values on offer, and not `.+`: the process metrics of Prometheus itself are none of Node's.
      .includeAll(true)
      .current({ selected: true, text: 'All', value: '$__all' }),
  );
  const datasource = new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus');
  return [datasource, ...labels];
}

function createAnnotations() {
  const annotation = (name: string, color: string, expr: string) =>
    new AnnotationQueryBuilder()
      .name(name)
      .datasource(DATASOURCE)
      .enable(true)
      .iconColor(color)
      .target(new DataqueryBuilder().refId('Anno').expr(expr).interval('15s'));
  // These series hold a moment in Unix seconds. Grafana takes the value, in milliseconds, for the mark's time. A load run
  // writes a single sample, which the window keeps in sight of Grafana's steps.
  const moment = (name: string, color: string, seconds: string) =>
    annotation(name, color, `last_over_time(${seconds}[5m]) * 1000`).useValueForTime(true);
  return [
    moment('Load starts', 'green', 'loadgen_run_start_time_seconds').titleFormat('Load starts: {{pattern}}'),
    moment('Load ends', 'blue', 'loadgen_run_end_time_seconds').titleFormat('Load ends: {{pattern}}'),
    moment('Restarts', 'orange', 'process_start_time_seconds').titleFormat('{{job}} started: {{instance}}'),
    annotation('Firing alerts', 'red', 'ALERTS{alertstate="firing"}')
      .titleFormat('{{alertname}}')
      .tagKeys('severity'),
  ];
}

/** A link to every dashboard of the stack, as buttons that keep the time range and the variables. */
function createLink(): DashboardLink {
  return {
    title: 'Dashboards',
    type: DashboardLinkType.Dashboards,
    icon: 'external link',
    tooltip: 'Another dashboard, for the same time range',
    tags: [TAG],
    asDropdown: false,
    targetBlank: false,
    includeVars: true,
    keepTime: true,
  };
}

function placeRows(rows: readonly Row[]) {
  let id = 0;
  let y = 0;
  return rows.flatMap(({ title, panels }) => {
    const heading = new RowBuilder(title).id(++id).gridPos({ x: 0, y, w: GRID_COLUMNS, h: 1 }).build();
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
      const placedPanel = { ...panel, id: ++id, gridPos: { x, y, w, h } };
      x += w;
      shelfHeight = Math.max(shelfHeight, h);
      return placedPanel;
    });
    y += shelfHeight;
    return [heading, ...placed];
  });
}
