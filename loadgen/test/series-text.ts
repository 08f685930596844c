/** Lets the tests write a series as PromQL does. The program itself never reads one from text. */

import type { InstanceReading } from '../src/proof/process.ts';
import { formatRowName, type ProofRow } from '../src/proof/rows.ts';
import type { Series } from '../src/proof/series.ts';

export function seriesOf(text: string): Series {
  const [metric = '', labels = ''] = text.split(/[{}]/);
  const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, value]) => [label, value]);
  return { metric, labels: Object.fromEntries(pairs) };
}

export function valuesOf(values: Readonly<Record<string, number>>): InstanceReading['values'] {
  return Object.entries(values).map(([text, value]) => ({ ...seriesOf(text), value }));
}

/** A row of a proof with its series as text. */
export function textRow({ metric, labels, ...numbers }: ProofRow) {
  return { series: formatRowName({ metric, labels }), ...numbers };
}
