// Tables: a row for each combination of labels, a column for each query and each label that is shown.
import type { DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table';
import { describe, type PanelSpec, type ThresholdStep } from './panel.ts';

export interface Column {
  heading: string;
  /** Its values are those of a query, or else of a label, by the name of this field. */
  expr?: string;
  field?: string;
  unit?: string;
  decimals?: number;
  width?: number;
  /** Colours the text from these values on. */
  thresholds?: readonly ThresholdStep[];
  /** Colours for words. */
  words?: Readonly<Record<string, string>>;
  link?: { title: string; url: string };
}

interface TableSpec extends Omit<PanelSpec, 'queries' | 'thresholds'> {
  columns: readonly Column[];
  /** A query whose labels are shown and whose value is not. */
  expr?: string;
  /** Of all queries. */
  legend: string;
  /** The heading of the column to sort by. */
  sortBy?: string;
}

/** Rows of several queries that have the same labels become one. */
export function table(title: string, { columns, expr, legend, sortBy, ...spec }: TableSpec) {
  const exprs = [expr, ...columns.map((column) => column.expr)].filter((one) => one !== undefined);
  // Grafana calls a query's values by its letter, where there are several.
  const fields = columns.map(
    ({ field, expr: own = '' }) => field ?? `Value #${String.fromCharCode(65 + exprs.indexOf(own))}`,
  );
  const queries = exprs.map((one) => ({ expr: one, legend }));
  const panel = describe(new Table(), title, { width: 24, ...spec, queries }, 'table')
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        // Other fields that a query of format table returns.
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
    // The panel's own text for no value would be in every empty cell.
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
