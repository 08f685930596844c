// What all types of panels share: title, description, queries, unit, limits and colours. The types are in panels.ts.
import type { PanelBuilder as BarGauge } from '@grafana/grafana-foundation-sdk/bargauge';
import * as sdk from '@grafana/grafana-foundation-sdk/dashboard';
import type { PanelBuilder as Heatmap } from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import type { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat';
import type { PanelBuilder as StateTimeline } from '@grafana/grafana-foundation-sdk/statetimeline';
import type { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table';
import type { PanelBuilder as TimeSeries } from '@grafana/grafana-foundation-sdk/timeseries';
import { STATE_COLORS } from './colors.ts';

/** The data source selected at the top of the dashboard. */
export const DATASOURCE = { type: 'prometheus', uid: '$datasource' };

/** One PromQL query and the legend of its series. */
export interface Query {
  expr: string;
  legend: string;
  /** Overrides the format of the panel's other queries. */
  format?: Format;
}

/** A colour and the lowest value that it applies to; `null` in the first step means no lower bound. */
export type ThresholdStep = readonly [color: string, from: number | null];

/** A panel's queries, texts and size. */
export interface PanelSpec {
  /** What the panel shows, in words that a newcomer understands. */
  shows: string;
  /** When to investigate, beginning with "if". */
  investigate: string;
  /** Where to look next, with a link to a dashboard or a section of the runbook. */
  seeAlso: string;
  /** Width in columns of the grid's 24, height in rows of about 38 pixels. Each type has its own defaults. */
  width?: number;
  height?: number;
  /** Grafana's name of the unit: https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts */
  unit?: string;
  decimals?: number;
  /** PromQL by legend, or full query objects. */
  queries: Readonly<Record<string, string>> | readonly Query[];
  /** Shows exemplars: dots that link to traces. */
  exemplars?: true;
  /** The text that replaces a missing value. */
  noValue?: string;
  thresholds?: readonly ThresholdStep[];
  min?: number;
  max?: number;
  /** Fixed colours of series, by their name in the legend. */
  colors?: Readonly<Record<string, string>>;
  /** The target of a click on a value, a URL within Grafana. */
  link?: { title: string; url: string };
}

type AnyPanel = BarGauge | Heatmap | Stat | StateTimeline | Table | TimeSeries;
type Format = 'instant' | 'range' | 'heatmap' | 'table';

/** Counts are shown as whole numbers with thousands separators. */
export const COUNT = { unit: 'locale', decimals: 0 } as const;

/** Thresholds of a number: the text colour below `limit`, and `color` from `limit` up. */
export const warnFrom = (limit: number, color: string = STATE_COLORS.bad): readonly ThresholdStep[] => [
  ['text', null],
  [color, limit],
];

/** Limits drawn as dashed lines. */
export function limitsAt(...steps: readonly ThresholdStep[]) {
  const below: ThresholdStep = ['transparent', null];
  return { limit: true, thresholds: [below, ...steps] };
}

export const lineAt = (value: number) => limitsAt([STATE_COLORS.bad, value]);

/** Applies the shared settings to a panel. */
export function describe<P extends AnyPanel>(panel: P, title: string, spec: PanelSpec, format: Format): P {
  panel
    .title(title)
    .description(`${spec.shows}\n\n**Investigate** ${spec.investigate}\n\n**See also** ${spec.seeAlso}`)
    .datasource(DATASOURCE)
    .unit(spec.unit ?? 'none')
    .span(spec.width ?? 12)
    .height(spec.height ?? 9)
    // The dashboards' State panel (state.ts) explains missing samples.
    .noValue(spec.noValue ?? 'No samples: see State');
  const queries: readonly Query[] = Array.isArray(spec.queries)
    ? spec.queries
    : Object.entries(spec.queries).map(([legend, expr]) => ({ legend, expr }));
  const targets = queries.map((query, index) => createQuery(query, index, format));
  if (spec.exemplars) for (const target of targets) target.exemplar(true);
  panel.targets(targets);
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

/** The palette for series without a fixed colour. Grafana 9 leaves a panel empty if it uses a palette of a later version. */
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
