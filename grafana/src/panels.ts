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
  VizTextDisplayOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { MappingType, type ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import {
  PanelBuilder as Heatmap,
  HeatmapColorOptionsBuilder,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap';
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StateTimeline } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TimeSeries } from '@grafana/grafana-foundation-sdk/timeseries';
import { STATE_COLORS } from './colors.ts';
import { describe, type PanelSpec, palette } from './panel.ts';

const TEXT_MODES = { name: BigValueTextMode.Name, 'name and value': BigValueTextMode.ValueAndName } as const;

/** Values that have words, and the colour of each. */
export type Words = Readonly<Record<number, { text: string; color: string }>>;

/**
 * One number, the latest, in the colour of text unless thresholds say more. `show` puts the series' name next to the number or in
 * its place, at sizes that do not change with the width; `words` takes the place of numbers.
 */
export function stat(spec: PanelSpec & { show?: 'name' | 'name and value'; words?: Words }) {
  const { show, words } = spec;
  const panel = describe(new Stat(), { height: 4, ...spec }, 'instant')
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.None)
    .textMode(show ? TEXT_MODES[show] : BigValueTextMode.Value)
    .orientation(VizOrientation.Auto)
    .reduceOptions(lastValue());
  if (words) panel.mappings([toMapping(words)]);
  if (show || words) {
    panel.text(new VizTextDisplayOptionsBuilder().titleSize(16).valueSize(words ? 18 : 30));
  }
  return panel;
}

/** One bar for each series, in the order in which the query returns them. */
export function ranking(spec: PanelSpec) {
  return describe(
    new BarGauge(),
    { min: 0, decimals: 0, thresholds: [[STATE_COLORS.well, null]], ...spec },
    'instant',
  )
    .orientation(VizOrientation.Horizontal)
    .displayMode(BarGaugeDisplayMode.Basic)
    .reduceOptions(lastValue());
}

export interface LinesSpec extends PanelSpec {
  /** The axis reaches at least from 0 to here, so that noise around nothing looks like nothing. */
  softMax: number;
  /** A list of names where series are many, a table of last and highest values otherwise. */
  legend?: 'list' | 'table';
  stacked?: boolean;
  /** Draws the thresholds as dashed lines. */
  limit?: boolean;
}

/**
 * Lines over time from 0 up. A sample without neighbours is a point, and what is missing is a gap: a rate where nothing was
 * asked is no number.
 */
export function lines(spec: LinesSpec) {
  const list = spec.legend === 'list';
  const legend = new VizLegendOptionsBuilder()
    .displayMode(list ? LegendDisplayMode.List : LegendDisplayMode.Table)
    .placement(LegendPlacement.Bottom)
    .showLegend(true)
    .calcs(list ? [] : ['lastNotNull', 'max']);
  const panel = describe(new TimeSeries(), { height: 9, ...spec }, 'range')
    .legend(legend)
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .colorScheme(palette())
    .showPoints(VisibilityMode.Auto)
    .pointSize(4)
    .spanNulls(false)
    .lineWidth(spec.stacked ? 1 : 2)
    .fillOpacity(spec.stacked ? 40 : 0)
    .min(spec.min ?? 0)
    .axisSoftMax(spec.softMax);
  if (spec.unit === 'percentunit') panel.max(spec.max ?? 1);
  if (spec.stacked) panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
  if (spec.limit) {
    panel.thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  }
  return panel;
}

/** A histogram over time: `queries` return increases, native or by `le`, which is in `unit`; the cells hold counts. */
export function heatmap(spec: PanelSpec) {
  return (
    describe(new Heatmap(), { height: 9, ...spec, unit: 'none' }, 'heatmap')
      .yAxis(new YAxisConfigBuilder().unit(spec.unit))
      // All of its colours stand out on dark and on light ground; the least of Blues is white on white.
      .color(new HeatmapColorOptionsBuilder().scheme('Cool').steps(64))
      .exemplarsColor(STATE_COLORS.bad)
      .hideLegend()
  );
}

/** A coloured band for each series, with words for its values. */
export function states(spec: PanelSpec & { words: Words }) {
  return describe(new StateTimeline(), spec, 'range')
    .mappings([toMapping(spec.words)])
    .showValue(VisibilityMode.Never)
    .alignValue(TimelineValueAlignment.Left);
}

function toMapping(words: Words): ValueMapping {
  return { type: MappingType.ValueToText, options: { ...words } };
}

function lastValue() {
  return new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false);
}
