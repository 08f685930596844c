// How one panel is drawn: a handful of shapes, so that equal things look equal on every dashboard. What a panel asks
// and says comes from the caller.
import { PanelBuilder as BarGauge } from '@grafana/grafana-foundation-sdk/bargauge';
import {
  BarGaugeDisplayMode,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TimelineValueAlignment,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as Heatmap, YAxisConfigBuilder } from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StateTimeline } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeSeries } from '@grafana/grafana-foundation-sdk/timeseries';

/** The data source chosen at the top of the dashboard: no panel names a particular one. */
export const DATASOURCE = { type: 'prometheus', uid: '$datasource' };

/** One PromQL query and how its series are called in legends. */
export interface Query {
  expr: string;
  legend: string;
}

/** A colour and the value from which on it applies; the first step's value is `null`: from the bottom. */
export type ThresholdStep = readonly [color: string, from: number | null];

/** What a panel asks, says and how wide it is. */
export interface PanelSpec {
  title: string;
  /** How to read the panel and what to do about what it shows. */
  description: string;
  /** Columns of the grid's 24. */
  width: number;
  /** Rows of the grid, about 38 pixels each. */
  height?: number;
  /** Grafana's name of the unit: https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts */
  unit: string;
  decimals?: number;
  queries: readonly Query[];
  /** What stands where no series answers. */
  noValue?: string;
  thresholds?: readonly ThresholdStep[];
  min?: number;
  max?: number;
}

type AnyPanel = BarGauge | Heatmap | Stat | StateTimeline | Table | TimeSeries;
type Format = 'instant' | 'range' | 'heatmap' | 'table';

/** One number, the latest, in the colour of text unless thresholds say more. `named` shows the series' name beside it. */
export function stat(spec: PanelSpec & { named?: boolean }) {
  return describe(new Stat(), { height: 4, thresholds: [['text', null]], ...spec }, 'instant')
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.None)
    .textMode(spec.named ? BigValueTextMode.ValueAndName : BigValueTextMode.Value)
    .reduceOptions(lastValue());
}

/** One bar for each series, in the order in which the query returns them. */
export function ranking(spec: PanelSpec) {
  return describe(new BarGauge(), { thresholds: [['blue', null]], ...spec }, 'instant')
    .orientation(VizOrientation.Horizontal)
    .displayMode(BarGaugeDisplayMode.Basic)
    .reduceOptions(lastValue());
}

/**
 * Lines over time, the highest first in the legend, or in the order of the queries where that is `ordered`. `limit` draws
 * the thresholds as dashed lines; `stacked` fills and piles the series up.
 */
export function lines(spec: PanelSpec & { stacked?: boolean; limit?: boolean; ordered?: boolean }) {
  const legend = new VizLegendOptionsBuilder()
    .displayMode(LegendDisplayMode.Table)
    .placement(LegendPlacement.Bottom)
    .showLegend(true)
    .calcs(['lastNotNull', 'max']);
  if (!spec.ordered) legend.sortBy('Last *').sortDesc(true);
  const panel = describe(new TimeSeries(), spec, 'range')
    .legend(legend)
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassic))
    .showPoints(VisibilityMode.Never)
    .fillOpacity(spec.stacked ? 40 : 0)
    .min(spec.min ?? 0);
  if (spec.stacked) panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
  if (spec.limit) {
    panel.thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  }
  return panel;
}

/** A classic histogram over time: `queries` return increases by `le`, which is in `unit`; the cells hold counts. */
export function heatmap(spec: PanelSpec) {
  return describe(new Heatmap(), { ...spec, unit: 'none' }, 'heatmap')
    .yAxis(new YAxisConfigBuilder().unit(spec.unit))
    .hideLegend();
}

/** A coloured band for each series, with words for its values. */
export function states(spec: PanelSpec & { words: Record<number, { text: string; color: string }> }) {
  const mapping: ValueMapping = { type: MappingType.ValueToText, options: spec.words };
  return describe(new StateTimeline(), spec, 'range')
    .mappings([mapping])
    .showValue(VisibilityMode.Never)
    .alignValue(TimelineValueAlignment.Left);
}

/** The latest value of each series as a row; `columns` maps label names (and `Value`) to headings, in order. */
export function table(spec: PanelSpec & { columns: Record<string, string> }) {
  const columns = Object.keys(spec.columns);
  return describe(new Table(), spec, 'table').withTransformation({
    id: 'organize',
    options: {
      includeByName: Object.fromEntries(columns.map((name) => [name, true])),
      indexByName: Object.fromEntries(columns.map((name, index) => [name, index])),
      renameByName: spec.columns,
    },
  });
}

function describe<P extends AnyPanel>(panel: P, spec: PanelSpec, format: Format): P {
  panel
    .title(spec.title)
    .description(spec.description)
    .datasource(DATASOURCE)
    .unit(spec.unit)
    .span(spec.width)
    .height(spec.height ?? 8)
    .noValue(spec.noValue ?? 'No data in this time range');
  panel.targets(spec.queries.map((query, index) => createQuery(query, index, format)));
  if (spec.decimals !== undefined) panel.decimals(spec.decimals);
  if (spec.min !== undefined) panel.min(spec.min);
  if (spec.max !== undefined) panel.max(spec.max);
  const steps = (spec.thresholds ?? [['green', null]]).map(([color, value]) => ({ color, value }));
  panel.thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps));
  return panel;
}

function createQuery({ expr, legend }: Query, index: number, format: Format) {
  const query = new DataqueryBuilder()
    .refId(String.fromCharCode('A'.charCodeAt(0) + index))
    .datasource(DATASOURCE)
    .expr(expr)
    .legendFormat(legend);
  if (format === 'heatmap') query.format(PromQueryFormat.Heatmap);
  if (format === 'table') query.format(PromQueryFormat.Table);
  return format === 'instant' || format === 'table' ? query.instant() : query.range();
}

function lastValue() {
  return new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false);
}
