// Tables: one row per combination of labels, one column per query and displayed label.
import type { DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table';
import { describe, type PanelSpec, type ThresholdStep } from './panel.ts';

export interface Column {
  heading: string;
  /** The column shows the values of this query, or of the label named by `field`. */
  expr?: string;
  field?: string;
  unit?: string;
  decimals?: number;
  width?: number;
  /** Text colours from these values on. */
  thresholds?: readonly ThresholdStep[];
  /** Text colours of particular values. */
  words?: Readonly<Record<string, string>>;
  link?: { title: string; url: string };
}

interface TableSpec extends Omit<PanelSpec, 'queries' | 'thresholds'> {
  columns: readonly Column[];
  /** A query of which the table shows the labels but not the value. */
  expr?: string;
  /** The legend of all queries. */
  legend: string;
  /** The heading of the column to sort by. */
  sortBy?: string;
}

/** Rows of different queries with the same labels are merged. */
export function table(title: string, { columns, expr, legend, sortBy, ...spec }: TableSpec) {
  const exprs = [expr, ...columns.map((column) => column.expr)].filter((one) => one !== undefined);
  // With several queries, Grafana names the values of each after its letter.
  const fields = columns.map(
    ({ field, expr: own = '' }) => field ?? `Value #${String.fromCharCode(65 + exprs.indexOf(own))}`,
  );
  const queries = exprs.map((one) => ({ expr: one, legend }));
  const panel = describe(new Table(), title, { width: 24, ...spec, queries }, 'table')
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        // Fields that every query in table format returns.
        excludeByName: { Time: true, Value: true },
        indexByName: Object.fromEntries(fields.map((name, index) => [name, index])),
        renameByName: Object.fromEntries(fields.map((name, index) => [name, columns[index]?.heading])),
      },
    });
  if (sortBy) panel.sortBy([{ build: () => ({ displayName: sortBy, desc: true }) }]);
  for (const column of columns) panel.overrideByName(column.heading, toProperties(column));
  return panel;
}

function toProperties({ unit, decimals, width, thresholds, words, link }: Column): DynamicConfigValue[] {
  const options = Object.fromEntries(Object.entries(words ?? {}).map(([word, color]) => [word, { color }]));
  const steps = thresholds?.map(([color, value]) => ({ color, value }));
  return [
    // Without this, every empty cell would show the panel's text for "no value".
    { id: 'noValue', value: '–' },
    ...(unit ? [{ id: 'unit', value: unit }] : []),
    ...(decimals !== undefined ? [{ id: 'decimals', value: decimals }] : []),
    ...(width ? [{ id: 'custom.width', value: width }] : []),
    ...(steps ? [{ id: 'thresholds', value: { mode: 'absolute', steps } }] : []),
    ...(words ? [{ id: 'mappings', value: [{ type: 'value', options }] }] : []),
    ...(steps || words ? [{ id: 'custom.cellOptions', value: { type: 'color-text' } }] : []),
    ...(link ? [{ id: 'links', value: [{ ...link, targetBlank: false }] }] : []),
  ];
}
