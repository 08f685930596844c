// Tables: a row for each combination of labels, a column for each query.
import type { DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table';
import { describe, type PanelSpec } from './panel.ts';

export interface Column {
  /** A label's name, or `Value` where there is one query and `Value #A`, `Value #B`, ... where there are several. */
  field: string;
  heading: string;
  unit?: string;
  decimals?: number;
  width?: number;
  /** Colours the text from these values on. */
  thresholds?: readonly { color: string; value: number | null }[];
  /** Colours for words. */
  words?: Readonly<Record<string, { color: string }>>;
  link?: { title: string; url: string };
}

/** Other fields that a query of format table returns. */
const HIDDEN = ['Time', 'Value'];

/** Rows of several queries that have the same labels become one; `sortBy` is the heading of the column to sort by. */
export function table(spec: PanelSpec & { columns: readonly Column[]; sortBy?: string; hide?: string[] }) {
  const { columns } = spec;
  const fields = columns.map(({ field }) => field);
  const panel = describe(new Table(), spec, 'table')
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: Object.fromEntries(
          HIDDEN.filter((name) => !fields.includes(name)).map((name) => [name, true]),
        ),
        indexByName: Object.fromEntries(fields.map((name, index) => [name, index])),
        renameByName: Object.fromEntries(columns.map(({ field, heading }) => [field, heading])),
      },
    });
  if (spec.sortBy) {
    const sort = { displayName: spec.sortBy, desc: true };
    panel.sortBy([{ build: () => sort }]);
  }
  for (const column of columns) panel.overrideByName(column.heading, toProperties(column));
  return panel;
}

function toProperties({ unit, decimals, width, thresholds, words, link }: Column): DynamicConfigValue[] {
  // The panel's own text for no value would stand in every empty cell.
  const properties: DynamicConfigValue[] = [{ id: 'noValue', value: '–' }];
  if (unit) properties.push({ id: 'unit', value: unit });
  if (decimals !== undefined) properties.push({ id: 'decimals', value: decimals });
  if (width) properties.push({ id: 'custom.width', value: width });
  if (thresholds) properties.push({ id: 'thresholds', value: { mode: 'absolute', steps: thresholds } });
  if (words) properties.push({ id: 'mappings', value: [{ type: 'value', options: words }] });
  if (thresholds || words) properties.push({ id: 'custom.cellOptions', value: { type: 'color-text' } });
  if (link) properties.push({ id: 'links', value: [{ ...link, targetBlank: false }] });
  return properties;
}
