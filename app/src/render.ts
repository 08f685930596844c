/**
 * Renders metric families as text 0.0.4 or OpenMetrics 1.0.0. The client library's own rendering is not used because it
 * renames counters for good once OpenMetrics was asked for, formats every label anew at every scrape, and holds the event
 * loop until it is done. Left out: exemplars and units.
 */
import { setImmediate } from 'node:timers/promises';
import type { Format } from './negotiate.ts';

type LabelSet = Readonly<Record<string, string | number | undefined>>;

/** A metric family as client libraries hand it out. */
export interface Family {
  readonly name: string;
  readonly help: string;
  /** `counter`, `gauge`, `histogram` or `summary`. */
  readonly type: string;
  readonly values: readonly {
    readonly labels: LabelSet;
    readonly value: number;
    readonly metricName?: string;
  }[];
}

/** Text is handed on in pieces of about this size, so that no huge string is ever flattened at once. */
const CHUNK_CHARACTERS = 65_536;

/** After this long the rest of the event loop gets a turn: a scrape of 100,000 series must not delay requests. */
const SLICE_MS = 5;

/** Label sets already rendered, by identity: libraries keep one object for each series. One cache for each format. */
const rendered: Record<Format, WeakMap<LabelSet, string>> = {
  text: new WeakMap(),
  openmetrics: new WeakMap(),
};

/** Renders `families` as UTF-8. The values must not change until the promise settles. */
export async function render(families: readonly Family[], format: Format): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let text = '';
  let sliceStart = performance.now();
  for (const family of families) {
    const name = format === 'openmetrics' ? familyName(family) : family.name;
    const sampleName = format === 'openmetrics' && family.type === 'counter' ? `${name}_total` : name;
    text += `# HELP ${name} ${escapeHelp(family.help, format)}\n# TYPE ${name} ${family.type}\n`;
    for (const { metricName = sampleName, labels, value } of family.values) {
      text += `${metricName}${labelText(labels, format)} ${toNumberText(value)}\n`;
      if (text.length < CHUNK_CHARACTERS) continue;
      chunks.push(Buffer.from(text));
      text = '';
      if (performance.now() - sliceStart < SLICE_MS) continue;
      await setImmediate();
      sliceStart = performance.now();
    }
  }
  if (format === 'openmetrics') text += '# EOF\n';
  chunks.push(Buffer.from(text));
  return Buffer.concat(chunks);
}

/** OpenMetrics keeps the `_total` of a counter for its sample. */
function familyName({ name, type }: Family): string {
  return type === 'counter' ? name.replace(/_total$/, '') : name;
}

function labelText(labels: LabelSet, format: Format): string {
  let text = rendered[format].get(labels);
  if (text === undefined) {
    const pairs = Object.entries(labels).map(
      ([name, value]) => `${name}="${escapeLabel(name, value, format)}"`,
    );
    text = pairs.length > 0 ? `{${pairs.join(',')}}` : '';
    rendered[format].set(labels, text);
  }
  return text;
}

function escapeLabel(name: string, value: string | number | undefined, format: Format): string {
  const text = String(value ?? '').replace(/["\\\n]/g, (character) =>
    character === '\n' ? '\\n' : `\\${character}`,
  );
  // OpenMetrics wants bounds and quantiles in the canonical form of a float: `le="1.0"`.
  const isBound = format === 'openmetrics' && (name === 'le' || name === 'quantile');
  return isBound && /^\d+$/.test(text) ? `${text}.0` : text;
}

function escapeHelp(help: string, format: Format): string {
  const escaped = help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
  return format === 'openmetrics' ? escaped.replace(/"/g, '\\"') : escaped;
}

function toNumberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
