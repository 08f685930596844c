/**
 * One `Metric` of the protobuf exposition, field by field. The numbers are those of `metrics.proto` as Prometheus reads it
 * (`prompb/io/prometheus/client`) and client_model publishes it; the names of fields are not sent.
 * https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto
 */
import { SCHEMA, ZERO_THRESHOLD_SECONDS } from '../recording/native-buckets.ts';
import type { Exemplar } from '../recording/snapshot.ts';
import { type LabelSet, toLabelName, toText } from './family.ts';
import type { NativeHistogram } from './native-histogram.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

/** `MetricFamily.metric`. */
const METRIC = 4;

const LABEL = 1;
const [GAUGE, COUNTER, SUMMARY, UNTYPED, HISTOGRAM] = [2, 3, 4, 5, 7] as const;

/** The field of `Metric` for each single-valued type. */
const SINGLE = { counter: COUNTER, gauge: GAUGE, untyped: UNTYPED } as const;

export type Point = readonly [at: number, value: number, exemplar?: Exemplar | undefined];

/** A histogram or summary with one set of labels. */
export interface Distribution {
  readonly count: number;
  readonly sum: number;
  /** Upper bounds with cumulative counts and exemplars, or quantiles with values; ascending. */
  readonly points: readonly Point[];
  readonly createdMs?: number | undefined;
  readonly native?: NativeHistogram | undefined;
}

/** Encodes a `metric` field with its tag and length, valid in any family. The next call overwrites the bytes. */
export function encodeSingle(
  type: keyof typeof SINGLE,
  labels: Uint8Array,
  value: number,
  createdMs?: number,
  exemplar?: Exemplar,
): Uint8Array {
  return encodeMetric(labels, SINGLE[type], () => {
    metric.doubleField(1, value);
    if (type !== 'counter') return;
    writeExemplar(2, exemplar);
    writeTimestamp(3, createdMs);
  });
}

/** Like {@link encodeSingle}. */
export function encodeHistogram(labels: Uint8Array, histogram: Distribution): Uint8Array {
  return encodeMetric(labels, HISTOGRAM, () => {
    writeCount(1, 4, histogram.count);
    metric.doubleField(2, histogram.sum);
    for (const [bound, count, exemplar] of histogram.points) {
      metric.messageField(3, () => {
        writeCount(1, 4, count);
        metric.doubleField(2, bound);
        writeExemplar(3, exemplar);
      });
    }
    if (histogram.native) writeNative(histogram.native);
    writeTimestamp(15, histogram.createdMs);
    for (const exemplar of histogram.native?.exemplars ?? []) writeExemplar(16, exemplar);
  });
}

/** Like {@link encodeSingle}. */
export function encodeSummary(labels: Uint8Array, summary: Distribution): Uint8Array {
  return encodeMetric(labels, SUMMARY, () => {
    // A summary has no field for fractional counts.
    metric.varintField(1, Math.min(Math.max(Math.round(summary.count) || 0, 0), Number.MAX_SAFE_INTEGER));
    metric.doubleField(2, summary.sum);
    for (const [quantile, value] of summary.points) {
      metric.messageField(3, () => {
        metric.doubleField(1, quantile);
        metric.doubleField(2, value);
      });
    }
    writeTimestamp(4, summary.createdMs);
  });
}

/** The `label` fields of a metric. Prometheus treats a label without a value as missing. */
export function encodeLabels(labels: LabelSet): Uint8Array {
  const fields = new ProtobufWriter();
  for (const name in labels) {
    const value = toText(labels[name]);
    if (value === '') continue;
    fields.messageField(LABEL, () => {
      fields.stringField(1, toLabelName(name));
      fields.stringField(2, value);
    });
  }
  return fields.bytes;
}

/** Shared by all metrics, so that it grows only once. */
const metric = new ProtobufWriter(4096);

function encodeMetric(labels: Uint8Array, field: number, write: () => void): Uint8Array {
  metric.clear();
  metric.messageField(METRIC, () => {
    metric.raw(labels);
    metric.messageField(field, write);
  });
  return metric.bytes;
}

function writeNative({ zeroCount, spans, deltas }: NativeHistogram): void {
  metric.signedField(5, SCHEMA);
  metric.doubleField(6, ZERO_THRESHOLD_SECONDS);
  metric.varintField(7, zeroCount);
  for (const { offset, length } of spans) {
    metric.messageField(12, () => {
      metric.signedField(1, offset);
      metric.varintField(2, length);
    });
  }
  metric.packedSignedField(13, deltas);
}

/** A computed histogram may have fractional counts, which the second field holds. */
function writeCount(whole: number, fraction: number, count: number): void {
  if (Number.isSafeInteger(count) && count >= 0) metric.varintField(whole, count);
  else metric.doubleField(fraction, count);
}

function writeExemplar(field: number, exemplar: Exemplar | undefined): void {
  if (!exemplar) return;
  const { labelSet, value, timestamp } = exemplar;
  metric.messageField(field, () => {
    metric.raw(encodeLabels(labelSet));
    metric.doubleField(2, value);
    writeTimestamp(3, timestamp * 1000);
  });
}

/** `google.protobuf.Timestamp`. */
function writeTimestamp(field: number, ms: number | undefined): void {
  if (ms === undefined) return;
  metric.messageField(field, () => {
    metric.varintField(1, Math.floor(ms / 1000));
    metric.varintField(2, Math.floor(ms % 1000) * 1_000_000);
  });
}
