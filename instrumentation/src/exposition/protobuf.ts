/**
 * Renders metric families as delimited protobuf, the only exposition format with native histograms. Samples that a source
 * has already encoded are only concatenated, which is valid for repeated fields.
 */
import { type Family, type LabelSet, toExemplar, toNumber } from './family.ts';
import type { NativeHistogram } from './native-histogram.ts';
import { createOutput } from './output.ts';
import { encodeHistogram, encodeLabels, encodeSingle, encodeSummary, type Point } from './protobuf-metric.ts';
import { ProtobufWriter } from './protobuf-writer.ts';
import { toLabelsText } from './text.ts';

/** `MetricType`. */
const TYPES: Readonly<Record<string, number>> = {
  counter: 0,
  gauge: 1,
  summary: 2,
  untyped: 3,
  histogram: 4,
};

/**
 * @param withNative whether the scrape requests native histograms. Other scrapes get only the classic buckets: a server
 * that reads protobuf but cannot store native histograms would silently drop the whole histogram
 */
export async function renderProtobuf(families: readonly Family[], withNative: boolean): Promise<Buffer> {
  const output = createOutput();
  for (const family of families) {
    const putHead = output.reserve();
    const start = output.size();
    for (const message of family.encoded?.messages(withNative) ?? messagesOf(family, withNative)) {
      if (message) output.add(message);
      const turn = output.turn();
      if (turn) await turn;
    }
    putHead(headOf(family, output.size() - start));
  }
  return output.finish();
}

/** The length of the whole family, and the fields before its metrics. */
function headOf({ name, help, type }: Family, metricsSize: number): Uint8Array {
  const fields = new ProtobufWriter();
  fields.stringField(1, name);
  fields.stringField(2, help);
  fields.varintField(3, TYPES[type] ?? (TYPES.untyped as number));
  const delimited = new ProtobufWriter();
  delimited.varint(fields.bytes.length + metricsSize);
  delimited.raw(fields.bytes);
  return delimited.bytes;
}

/** Yields undefined after a step that has not completed a message. */
function* messagesOf(family: Family, withNative: boolean): Generator<Uint8Array | undefined> {
  const { type, values } = family;
  if (type === 'histogram') return yield* distributions(family, 'le', withNative, encodeHistogram);
  if (type === 'summary') return yield* distributions(family, 'quantile', withNative, encodeSummary);
  const single = type === 'counter' || type === 'gauge' ? type : 'untyped';
  for (const { labels = {}, value, createdMs, exemplar } of values) {
    yield encodeSingle(single, encodeLabels(labels), toNumber(value), createdMs, toExemplar(exemplar));
  }
}

/** A histogram or summary under construction. */
interface Gathered {
  readonly labels: LabelSet;
  readonly points: Point[];
  count: number;
  sum: number;
  createdMs?: number | undefined;
  native?: NativeHistogram | undefined;
}

/** Groups the samples of a family by their labels without `pointLabel`: several samples make up one message. */
function* distributions(
  { name, values }: Family,
  pointLabel: 'le' | 'quantile',
  withNative: boolean,
  encode: typeof encodeHistogram,
): Generator<Uint8Array | undefined> {
  const byLabels = new Map<string, Gathered>();
  for (const { metricName = name, labels = {}, createdMs, native, exemplar, ...sample } of values) {
    const value = toNumber(sample.value);
    const { [pointLabel]: point, ...own } = labels;
    const key = toLabelsText(own);
    let gathered = byLabels.get(key);
    if (!gathered) {
      gathered = { labels: own, points: [], count: 0, sum: 0 };
      byLabels.set(key, gathered);
    }
    if (metricName === `${name}_count`) Object.assign(gathered, { count: value, createdMs, native });
    else if (metricName === `${name}_sum`) gathered.sum = value;
    else gathered.points.push([toBound(point), value, toExemplar(exemplar)]);
    yield undefined;
  }
  for (const { labels, native, ...rest } of byLabels.values()) {
    yield encode(encodeLabels(labels), withNative ? { ...rest, native } : rest);
  }
}

/** A bound may be text: `+Inf`. */
const toBound = (bound: unknown) => (bound === '+Inf' ? Number.POSITIVE_INFINITY : toNumber(bound));
