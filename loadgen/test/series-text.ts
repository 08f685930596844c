/** Lets the tests write a series as PromQL does. The program itself never reads one from text. */

import type { InstanceSnapshot } from '../src/verify/process.ts';
import { formatRowName, type VerificationRow } from '../src/verify/rows.ts';
import type { Series } from '../src/verify/series.ts';

export function seriesOf(text: string): Series {
  const [metric = '', labels = ''] = text.split(/[{}]/);
  const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, value]) => [label, value]);
  return { metric, labels: Object.fromEntries(pairs) };
}

export function valuesOf(values: Readonly<Record<string, number>>): InstanceSnapshot['values'] {
  return Object.entries(values).map(([text, value]) => ({ ...seriesOf(text), value }));
}

/** A row of a verification with its series as text. */
export function textRow({ metric, labels, ...numbers }: VerificationRow) {
  return { series: formatRowName({ metric, labels }), ...numbers };
}
