/**
 * Renders metric families as text 0.0.4 or OpenMetrics 1.0.0. The client library's renderer is not used: it renames
 * counters permanently once OpenMetrics has been requested, formats every label again at every scrape, and blocks the event
 * loop until it is done. Units are left out.
 */
import type { Exemplar } from '../recording/snapshot.ts';
import {
  type Family,
  type LabelSet,
  toExemplar,
  toLabelName,
  toNumber,
  toNumberText,
  toText,
} from './family.ts';
import { createOutput } from './output.ts';

export type TextFormat = 'text' | 'openmetrics';

/** The types that both formats have. */
const TYPES = new Set(['counter', 'gauge', 'histogram', 'summary']);

/** Renders `families` as UTF-8. The values must not change until the promise settles. */
export async function render(families: readonly Family[], format: TextFormat): Promise<Buffer> {
  const output = createOutput();
  for (const family of families) {
    output.add(headOf(family, format));
    for (const line of family.encoded?.lines(format === 'openmetrics') ?? linesOf(family, format)) {
      output.add(line);
      const turn = output.turn();
      if (turn) await turn;
    }
  }
  if (format === 'openmetrics') output.add('# EOF\n');
  return output.finish();
}

function headOf(family: Family, format: TextFormat): string {
  const name = familyName(family, format);
  const isOpenMetrics = format === 'openmetrics';
  const type = TYPES.has(family.type) ? family.type : isOpenMetrics ? 'unknown' : 'untyped';
  return `# HELP ${name} ${escapeText(family.help, isOpenMetrics)}\n# TYPE ${name} ${type}\n`;
}

function* linesOf(family: Family, format: TextFormat): Generator<string> {
  const isTotal = format === 'openmetrics' && family.type === 'counter';
  const hasExemplars = isTotal || (format === 'openmetrics' && family.type === 'histogram');
  const name = isTotal ? `${familyName(family, format)}_total` : family.name;
  for (const { metricName = name, labels = {}, value, exemplar } of family.values) {
    const more = hasExemplars ? toExemplarText(toExemplar(exemplar)) : '';
    yield `${metricName}${toLabelsText(labels)} ${toNumberText(toNumber(value))}${more}\n`;
  }
}

/** The exemplar of a sample in OpenMetrics. */
export function toExemplarText(exemplar: Exemplar | undefined): string {
  if (!exemplar) return '';
  const { labelSet, value, timestamp } = exemplar;
  return ` # ${toLabelsText(labelSet)} ${toNumberText(value)} ${timestamp}`;
}

/** `{path="a",method="get"}`, or nothing without labels. */
export function toLabelsText(labels: LabelSet): string {
  let pairs = '';
  for (const name in labels) {
    if (pairs !== '') pairs += ',';
    pairs += `${toLabelName(name)}="${toValueText(name, labels[name])}"`;
  }
  return pairs === '' ? '' : `{${pairs}}`;
}

/** In OpenMetrics, a counter's sample has the suffix `_total`, but its family does not. */
function familyName({ name, type }: Family, format: TextFormat): string {
  return format === 'openmetrics' && type === 'counter' ? name.replace(/_total$/, '') : name;
}

function toValueText(name: string, value: unknown): string {
  const text = toText(value);
  // OpenMetrics requires bounds and quantiles in the canonical form of a float, `le="1.0"`. The text format accepts that
  // form too, so a Prometheus that requests the other format after an upgrade sees the same series.
  if (typeof value === 'number')
    return (name === 'le' || name === 'quantile') && /^-?\d+$/.test(text) ? `${text}.0` : text;
  return /["\\\n]/.test(text) ? escapeText(text, true) : text;
}

function escapeText(raw: string, withQuotes: boolean): string {
  const escaped = raw.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
  return withQuotes ? escaped.replace(/"/g, '\\"') : escaped;
}
