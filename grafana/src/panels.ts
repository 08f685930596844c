// How panels are drawn: a few types, so that similar data looks the same on every dashboard. Queries and texts come from
// the caller.
import { PanelBuilder as BarGauge } from '@grafana/grafana-foundation-sdk/bargauge';
import * as common from '@grafana/grafana-foundation-sdk/common';
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

const TEXT_MODES = {
  name: common.BigValueTextMode.Name,
  'name and value': common.BigValueTextMode.ValueAndName,
} as const;

/** The text and colour that replace each value. */
export type Words = Readonly<Record<number, { text: string; color: string }>>;

/**
 * The latest value, in the text colour unless thresholds apply. `show` displays the series' name next to the number or instead
 * of it, in font sizes that do not depend on the width; `words` replaces numbers.
 */
export function stat(title: string, spec: PanelSpec & { show?: 'name' | 'name and value'; words?: Words }) {
  const { show, words } = spec;
  const panel = describe(new Stat(), title, { width: 6, height: 4, ...spec }, 'instant')
    .colorMode(common.BigValueColorMode.Value)
    .graphMode(common.BigValueGraphMode.None)
    .textMode(show ? TEXT_MODES[show] : common.BigValueTextMode.Value)
    .orientation(common.VizOrientation.Auto)
    .reduceOptions(lastValue());
  if (words) panel.mappings([toMapping(words)]);
  if (show || words) {
    panel.text(new common.VizTextDisplayOptionsBuilder().titleSize(16).valueSize(words ? 18 : 30));
  }
  return panel;
}

/** One bar per series, in the order of the query's result. */
export function ranking(title: string, spec: PanelSpec) {
  return describe(
    new BarGauge(),
    title,
    { min: 0, decimals: 0, thresholds: [[STATE_COLORS.well, null]], ...spec },
    'instant',
  )
    .orientation(common.VizOrientation.Horizontal)
    .displayMode(common.BarGaugeDisplayMode.Basic)
    .reduceOptions(lastValue());
}

export interface LinesSpec extends PanelSpec {
  /** The axis always includes this value, so that noise near 0 looks like 0. */
  softMax: number;
  /** A table with the last and highest value of each series instead of a list of names. For few series. */
  legend?: 'table';
  stacked?: boolean;
  /** Draws the thresholds as dashed lines. */
  limit?: boolean;
}

/**
 * Lines over time, from 0 up. A sample without neighbours is drawn as a point, and missing samples as a gap: a ratio without
 * traffic has no value.
 */
export function lines(title: string, spec: LinesSpec) {
  const list = spec.legend !== 'table';
  const legend = new common.VizLegendOptionsBuilder()
    .displayMode(list ? common.LegendDisplayMode.List : common.LegendDisplayMode.Table)
    .placement(common.LegendPlacement.Bottom)
    .showLegend(true)
    .calcs(list ? [] : ['lastNotNull', 'max']);
  const panel = describe(new TimeSeries(), title, spec, 'range')
    .legend(legend)
    .tooltip(
      new common.VizTooltipOptionsBuilder()
        .mode(common.TooltipDisplayMode.Multi)
        .sort(common.SortOrder.Descending),
    )
    .colorScheme(palette())
    .showPoints(common.VisibilityMode.Auto)
    .pointSize(4)
    .spanNulls(false)
    .lineWidth(spec.stacked ? 1 : 2)
    .fillOpacity(spec.stacked ? 40 : 0)
    .min(spec.min ?? 0)
    .axisSoftMax(spec.softMax);
  if (spec.unit === 'percentunit') panel.max(spec.max ?? 1);
  if (spec.stacked) panel.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal));
  if (spec.limit) {
    panel.thresholdsStyle(
      new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed),
    );
  }
  return panel;
}

/** A histogram over time: `queries` return increases, native or by `le`. `unit` is the unit of `le`; the cells hold counts. */
export function heatmap(title: string, spec: PanelSpec) {
  return (
    describe(new Heatmap(), title, { ...spec, unit: 'none' }, 'heatmap')
      .yAxis(new YAxisConfigBuilder().unit(spec.unit ?? 'none'))
      // All colours of this scheme are visible on dark and light backgrounds; the lowest colour of "Blues" is white on white.
      .color(new HeatmapColorOptionsBuilder().scheme('Cool').steps(64))
      .exemplarsColor(STATE_COLORS.bad)
      .hideLegend()
  );
}

/** A coloured band per series, with words for its values. */
export function states(title: string, spec: PanelSpec & { words: Words }) {
  return describe(new StateTimeline(), title, { width: 24, height: 7, ...spec }, 'range')
    .mappings([toMapping(spec.words)])
    .showValue(common.VisibilityMode.Never)
    .alignValue(common.TimelineValueAlignment.Left);
}

function toMapping(words: Words): ValueMapping {
  return { type: MappingType.ValueToText, options: { ...words } };
}

function lastValue() {
  return new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false);
}
