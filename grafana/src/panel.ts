// What every panel says and asks, whatever its shape: title, description, queries, unit, limits and colours. The shapes
// are in panels.ts.
import type { PanelBuilder as BarGauge } from '@grafana/grafana-foundation-sdk/bargauge';
import * as sdk from '@grafana/grafana-foundation-sdk/dashboard';
import type { PanelBuilder as Heatmap } from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import type { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat';
import type { PanelBuilder as StateTimeline } from '@grafana/grafana-foundation-sdk/statetimeline';
import type { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table';
import type { PanelBuilder as TimeSeries } from '@grafana/grafana-foundation-sdk/timeseries';
import { STATE_COLORS } from './colors.ts';

/** The data source chosen at the top of the dashboard: no panel names a particular one. */
export const DATASOURCE = { type: 'prometheus', uid: '$datasource' };

/** One PromQL query and how its series are called in legends. */
export interface Query {
  expr: string;
  legend: string;
  /** Where it differs from what the panel's other queries return. */
  format?: Format;
}

/** A colour and the value from which on it applies; the first step's value is `null`: from the bottom. */
export type ThresholdStep = readonly [color: string, from: number | null];

/** What a panel asks, says and how wide it is. */
export interface PanelSpec {
  /** What is shown, in words that a newcomer understands. */
  shows: string;
  /** When to investigate, beginning with "if". */
  investigate: string;
  /** Where to look next: names a dashboard or a section of the runbook by link. */
  seeAlso: string;
  /** Columns of the grid's 24, and rows of about 38 pixels each. Each shape has its own defaults. */
  width?: number;
  height?: number;
  /** Grafana's name of the unit: https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts */
  unit?: string;
  decimals?: number;
  /** PromQL by legend, or in full. */
  queries: Readonly<Record<string, string>> | readonly Query[];
  /** The text in place of an answer. */
  noValue?: string;
  thresholds?: readonly ThresholdStep[];
  min?: number;
  max?: number;
  /** Fixed colours of series, by the name that the legend shows. */
  colors?: Readonly<Record<string, string>>;
  /** Where a click on a value leads, an address within Grafana. */
  link?: { title: string; url: string };
}

type AnyPanel = BarGauge | Heatmap | Stat | StateTimeline | Table | TimeSeries;
type Format = 'instant' | 'range' | 'heatmap' | 'table';

/** Counts are whole numbers with separators. */
export const COUNT = { unit: 'locale', decimals: 0 } as const;

/** Steps of a number that is text below `limit` and a colour from there on. */
export const warnFrom = (limit: number, color: string = STATE_COLORS.bad): readonly ThresholdStep[] => [
  ['text', null],
  [color, limit],
];

/** Limits that are drawn as dashed lines. */
export function limitsAt(...steps: readonly ThresholdStep[]) {
  const below: ThresholdStep = ['transparent', null];
  return { limit: true, thresholds: [below, ...steps] };
}

export const lineAt = (value: number) => limitsAt([STATE_COLORS.bad, value]);

/** Fills in what a panel says and asks. */
export function describe<P extends AnyPanel>(panel: P, title: string, spec: PanelSpec, format: Format): P {
  panel
    .title(title)
    .description(`${spec.shows}\n\n**Investigate** ${spec.investigate}\n\n**See also** ${spec.seeAlso}`)
    .datasource(DATASOURCE)
    .unit(spec.unit ?? 'none')
    .span(spec.width ?? 12)
    .height(spec.height ?? 9)
    // The API's state (state.ts) says why.
    .noValue(spec.noValue ?? 'No sample: see State');
  const queries: readonly Query[] = Array.isArray(spec.queries)
    ? spec.queries
    : Object.entries(spec.queries).map(([legend, expr]) => ({ legend, expr }));
  panel.targets(queries.map((query, index) => createQuery(query, index, format)));
  if (spec.decimals !== undefined) panel.decimals(spec.decimals);
  if (spec.min !== undefined) panel.min(spec.min);
  if (spec.max !== undefined) panel.max(spec.max);
  const steps = (spec.thresholds ?? [['text', null]]).map(([color, value]) => ({ color, value }));
  panel.thresholds(new sdk.ThresholdsConfigBuilder().mode(sdk.ThresholdsMode.Absolute).steps(steps));
  for (const [name, color] of Object.entries(spec.colors ?? {})) {
    panel.overrideByName(name, [{ id: 'color', value: { mode: 'fixed', fixedColor: color } }]);
  }
  if (spec.link) {
    panel.dataLinks([new sdk.DashboardLinkBuilder(spec.link.title).url(spec.link.url)]);
  }
  return panel;
}

/** Series without a colour of their own. Grafana 9 leaves a panel empty that asks for the palettes that came later. */
export const palette = () => new sdk.FieldColorBuilder().mode(sdk.FieldColorModeId.PaletteClassic);

function createQuery({ expr, legend, format: own }: Query, index: number, usual: Format) {
  const format = own ?? usual;
  const query = new DataqueryBuilder()
    .refId(String.fromCharCode('A'.charCodeAt(0) + index))
    .datasource(DATASOURCE)
    .expr(expr)
    .legendFormat(legend);
  if (format === 'heatmap') query.format(PromQueryFormat.Heatmap);
  if (format === 'table') query.format(PromQueryFormat.Table);
  return format === 'instant' || format === 'table' ? query.instant() : query.range();
}
