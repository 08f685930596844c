// Our rules for panels, modelled on Grafana's dashboard linter (https://github.com/grafana/dashboard-linter): each rule takes
// one panel of the generated JSON and returns its mistake, or false.
import { z } from 'zod';
import * as tables from '../src/colors.ts';
import { TOP } from '../src/promql.ts';

const target = z.looseObject({ refId: z.string(), expr: z.string(), legendFormat: z.string() });
const color = z.looseObject({ color: z.string() });
export const gridPos = z.strictObject({ x: z.number(), y: z.number(), w: z.number(), h: z.number() });
export const Panel = z.looseObject({
  type: z.enum(['stat', 'bargauge', 'timeseries', 'heatmap', 'state-timeline', 'table']),
  id: z.number(),
  title: z.string().min(1),
  description: z.string(),
  datasource: z.looseObject({ type: z.literal('prometheus'), uid: z.literal('$datasource') }),
  gridPos,
  targets: z.array(target).min(1),
  options: z.looseObject({
    legend: z.looseObject({ displayMode: z.string().optional() }).optional(),
  }),
  fieldConfig: z.looseObject({
    defaults: z.looseObject({
      unit: z.string().optional(),
      noValue: z.string().optional(),
      mappings: z.array(z.unknown()).optional(),
      decimals: z.number().optional(),
      min: z.number().optional(),
      max: z.number().optional(),
      thresholds: z.looseObject({ steps: z.array(color) }).optional(),
      links: z.array(z.looseObject({ url: z.string() })).optional(),
      custom: z
        .looseObject({
          axisSoftMax: z.number().optional(),
          showPoints: z.string().optional(),
          spanNulls: z.union([z.boolean(), z.number()]).optional(),
        })
        .optional(),
    }),
    overrides: z.array(z.unknown()),
  }),
});
export type Panel = z.infer<typeof Panel>;

/** All colours of colors.ts, and the two that follow the theme. */
export const KNOWN_COLORS = new Set([
  'text',
  'transparent',
  ...Object.values(tables).flatMap((table) => (typeof table === 'object' ? Object.values(table) : [])),
  ...Object.values(tables.inOrder('a', 'b', 'c', 'd', 'e', 'f')),
]);

/** Fixed windows that are intended: that of the objectives, and the look-back of the state. */
const OWN_WINDOWS = ['30d', '5m'];
/** The most series that a legend in table form shows without scrolling, at a third of the panel's height. */
const TABLE_ROWS = 3;

type Rule = (panel: Panel) => string | false;

export const rules: Readonly<Record<string, Rule>> = {
  'says what it shows, when to investigate and where to look next, with a link': ({ description }) => {
    const [shows = '', investigate = '', seeAlso = ''] = description.split('\n\n');
    const whole =
      /^.{30,}\.$/s.test(shows) &&
      /^\*\*Investigate\*\* if .+\.$/.test(investigate) &&
      /^\*\*See also\*\* .+\.$/.test(seeAlso);
    return !(whole && /\]\(\/d\/[\w-]+/.test(seeAlso)) && description;
  },
  'has a unit': ({ fieldConfig }) => !fieldConfig.defaults.unit && 'no unit',
  'has its own text for a missing value': ({ fieldConfig: { defaults } }) =>
    (!defaults.noValue || /no data/i.test(defaults.noValue)) && `noValue: ${defaults.noValue}`,
  'has an axis that starts at 0 and has a height even without data': ({ type, fieldConfig: { defaults } }) =>
    type === 'timeseries' &&
    !(defaults.min === 0 && (defaults.custom?.axisSoftMax ?? 0) > 0) &&
    `min ${defaults.min}, soft max ${defaults.custom?.axisSoftMax}`,
  'limits the axis of a share': ({ type, fieldConfig: { defaults } }) =>
    type === 'timeseries' && defaults.unit === 'percentunit' && !defaults.max && 'no maximum',
  'has distinct axis labels: whole numbers up to at least 4, or decimals chosen by Grafana': ({
    type,
    fieldConfig: { defaults },
  }) =>
    type === 'timeseries' &&
    defaults.decimals !== undefined &&
    !(defaults.decimals === 0 && (defaults.custom?.axisSoftMax ?? 0) >= 4) &&
    `${defaults.decimals} decimals up to ${defaults.custom?.axisSoftMax}`,
  'draws single samples as points and missing samples as gaps': ({ type, fieldConfig: { defaults } }) =>
    type === 'timeseries' &&
    !(defaults.custom?.showPoints === 'auto' && defaults.custom.spanNulls === false) &&
    `points ${defaults.custom?.showPoints}, nulls ${defaults.custom?.spanNulls}`,
  'has a table as legend for few series only': ({ options, targets }) =>
    options.legend?.displayMode === 'table' &&
    (targets.length > TABLE_ROWS ||
      targets.some(({ legendFormat }) => /\{\{(path|instance|type)\}\}/.test(legendFormat))) &&
    `${targets.length} queries in a table`,
  'uses only colours of colors.ts': (panel) => {
    const found = [...JSON.stringify(panel).matchAll(/"(?:color|fixedColor)":"([^"]+)"/g)];
    const unknown = found.flatMap(([, name = '']) => (KNOWN_COLORS.has(name) ? [] : name));
    return unknown.length > 0 && unknown.join(', ');
  },
  'hard-codes no window': ({ targets }) => {
    const windows = targets.flatMap(({ expr }) =>
      [...expr.replace(/"[^"]*"/g, '').matchAll(/\[(\d[^\]]*)\]/g)].map(([, w]) => w),
    );
    const foreign = windows.filter((window = '') => !OWN_WINDOWS.includes(window));
    return foreign.length > 0 && foreign.join(', ');
  },
  'shows a bounded number of routes when it shows counters': ({ targets }) => {
    const unbounded = targets.filter(
      ({ expr, legendFormat }) =>
        /\{\{path\}\}/.test(legendFormat) && /http_requests_total/.test(expr) && !/topk\(\d+,/.test(expr),
    );
    return unbounded.length > 0 && `more than ${TOP} series: ${unbounded[0]?.expr}`;
  },
  'shows large numbers with separators': ({ type, fieldConfig: { defaults } }) =>
    (type === 'stat' || type === 'timeseries' || type === 'bargauge') &&
    defaults.unit === 'none' &&
    !defaults.mappings?.length &&
    'the unit "none" has no separators',
  'shows no current rate as a single number': ({ type, targets, fieldConfig: { defaults } }) =>
    type === 'stat' &&
    !defaults.mappings?.length &&
    targets.some(({ expr }) => expr.includes('$__rate_interval')) &&
    'the rate at one moment, which differs from the last point of a graph',
  'has room for the ten routes of the API': ({ type, fieldConfig, gridPos }) =>
    // A row of the grid has 38 pixels, the space between panels 8, title and padding 48, the heading and each table row 36.
    type === 'table' &&
    JSON.stringify(fieldConfig.overrides).includes('/d/route?var-path=') &&
    gridPos.h * 38 - 8 - 48 < 11 * 36 &&
    `${gridPos.h} rows of the grid`,
  'links each route to its details': ({ type, targets, fieldConfig, title }) => {
    const shown = targets.some(({ legendFormat }) => legendFormat === '{{method}} /{{path}}');
    const links = JSON.stringify([fieldConfig.defaults.links, fieldConfig.overrides]);
    return shown && type !== 'stat' && !links.includes('/d/route?var-path=') && title;
  },
  'queries the native histogram first, and states the accuracy of a classic one': ({
    targets,
    description,
  }) => {
    const quantiles = targets.filter(({ expr }) => expr.includes('histogram_quantile('));
    if (quantiles.length === 0) return false;
    const both = quantiles.every(({ expr }) => /duration_seconds\{.*\) or \(.*_seconds_bucket\{/.test(expr));
    return !(both && description.includes('classic buckets')) && 'one kind of histogram only';
  },
  'draws only one kind of histogram, native if there is one': ({ type, targets }) => {
    const [native = '', classic = ''] = targets.map(({ expr }) => expr);
    const isEither =
      /_seconds\{/.test(native) && /_seconds_bucket\{.*\) unless on \(\) count\(.*_seconds\{/.test(classic);
    return type === 'heatmap' && !isEither && targets.map(({ expr }) => expr).join(', ');
  },
};
