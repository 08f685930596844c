/**
 * Renders metric families as text 0.0.4 or OpenMetrics 1.0.0. The client library's own rendering is not used because it
 * renames counters for good once OpenMetrics was asked for, formats every label anew at every scrape, and holds the event
 * loop until it is done. Left out: exemplars and units.
 */
import { setImmediate } from 'node:timers/promises';
import type { Format } from './negotiate.ts';

export type LabelSet = Readonly<Record<string, string | number | undefined>>;

/** Where {@link withText} keeps the text: not enumerable, so that a copy with further labels does not inherit it. */
const text = Symbol('rendered labels');

/** One value of a family, as client libraries hand it out. */
export interface Sample {
  readonly labels: LabelSet;
  readonly value: number;
  /** Where it is not the family's: `_bucket`, `_sum`. */
  readonly metricName?: string;
  /** Where the renderer keeps its text, if the labels are those of {@link withText}: such samples never change. */
  line?: string | undefined;
}

export interface Family {
  readonly name: string;
  readonly help: string;
  /** `counter`, `gauge`, `histogram` or `summary`. */
  readonly type: string;
  /** @prometheus-io/client leaves out the labels where there are none. */
  readonly values: readonly (Omit<Sample, 'labels'> & Partial<Pick<Sample, 'labels'>>)[];
}

/** Text is handed on in pieces of about this size, so that no huge string is ever flattened at once. */
const CHUNK_CHARACTERS = 65_536;

/** After this long the rest of the event loop gets a turn: a scrape of 100,000 series must not delay requests. */
const SLICE_MS = 5;

const NO_LABELS: LabelSet = {};

/** `labels`, rendered once and for all: for sources that make a new sample for each new value, and keep the labels. */
export function withText(labels: LabelSet): LabelSet {
  return Object.freeze(Object.defineProperty({ ...labels }, text, { value: toLabelsText(labels) }));
}

/** Renders `families` as UTF-8. The values should not change until the promise settles. */
export async function render(families: readonly Family[], format: Format): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let pending = '';
  let sliceStart = performance.now();
  for (const family of families) {
    const name = format === 'openmetrics' ? familyName(family) : family.name;
    const sampleName = format === 'openmetrics' && family.type === 'counter' ? `${name}_total` : name;
    pending += `# HELP ${name} ${escapeText(family.help, format === 'openmetrics')}\n# TYPE ${name} ${family.type}\n`;
    for (const sample of family.values) {
      pending += toLine(sampleName, sample);
      if (pending.length < CHUNK_CHARACTERS) continue;
      chunks.push(Buffer.from(pending));
      pending = '';
      if (performance.now() - sliceStart < SLICE_MS) continue;
      await setImmediate();
      sliceStart = performance.now();
    }
  }
  if (format === 'openmetrics') pending += '# EOF\n';
  chunks.push(Buffer.from(pending));
  return Buffer.concat(chunks);
}

/** One sample as both formats write it. */
function toLine(name: string, sample: Family['values'][number]): string {
  const { metricName = name, labels = NO_LABELS, value } = sample;
  if (!hasText(labels)) return `${metricName}${toLabelsText(labels)} ${toNumberText(value)}\n`;
  sample.line ??= `${metricName}${labels[text]} ${toNumberText(value)}\n`;
  return sample.line;
}

function hasText(
  labels: LabelSet & { readonly [text]?: string },
): labels is LabelSet & { readonly [text]: string } {
  return labels[text] !== undefined;
}

function toLabelsText(labels: LabelSet): string {
  let pairs = '';
  for (const name in labels) {
    if (pairs !== '') pairs += ',';
    pairs += `${name}="${toValueText(name, labels[name])}"`;
  }
  return pairs === '' ? '' : `{${pairs}}`;
}

/** OpenMetrics keeps the `_total` of a counter for its sample. */
function familyName({ name, type }: Family): string {
  return type === 'counter' ? name.replace(/_total$/, '') : name;
}

function toValueText(name: string, value: string | number | undefined = ''): string {
  if (typeof value === 'number') {
    // OpenMetrics wants bounds and quantiles in the canonical form of a float, `le="1.0"`. Text accepts it too, and a
    // Prometheus that asks for the other format after an upgrade then sees the same series.
    const isBound = (name === 'le' || name === 'quantile') && Number.isInteger(value);
    return isBound ? `${value}.0` : toNumberText(value);
  }
  return /["\\\n]/.test(value) ? escapeText(value, true) : value;
}

function escapeText(raw: string, withQuotes: boolean): string {
  const escaped = raw.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
  return withQuotes ? escaped.replace(/"/g, '\\"') : escaped;
}

function toNumberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
