/**
 * One `Metric` of the protobuf exposition, field by field. The numbers are those of `metrics.proto` as Prometheus reads it
 * (`prompb/io/prometheus/client`) and client_model publishes it; the names of fields do not travel. Left out: exemplars.
 * https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto
 */
import { PbfWriter } from 'pbf';
import { SCHEMA, ZERO_THRESHOLD_SECONDS } from '../recording/native-buckets.ts';
import { type LabelSet, toLabelName, toText } from './family.ts';
import type { NativeHistogram, Span } from './native-histogram.ts';

/** `MetricFamily.metric`. */
const METRIC = 4;

const LABEL = 1;
const [GAUGE, COUNTER, SUMMARY, UNTYPED, HISTOGRAM] = [2, 3, 4, 5, 7] as const;

/** The field of `Metric` for each type that is a single value, and that type's own field for its creation. */
const SINGLE = {
  counter: { field: COUNTER, created: 3 },
  gauge: { field: GAUGE, created: undefined },
  untyped: { field: UNTYPED, created: undefined },
} as const;

export type SingleType = keyof typeof SINGLE;

/** A histogram or summary of one set of labels. */
export interface Distribution {
  readonly count: number;
  readonly sum: number;
  /** Upper bounds with their cumulated counts, or quantiles with their values; ascending. */
  readonly points: readonly (readonly [number, number])[];
  readonly createdMs?: number | undefined;
  readonly native?: NativeHistogram | undefined;
}

/** A field `metric` with its tag and length: it can stand in any family. Overwritten by the next one. */
export function encodeSingle(
  type: SingleType,
  labels: Uint8Array,
  value: number,
  createdMs?: number,
): Uint8Array {
  const { field, created } = SINGLE[type];
  return encodeMetric(labels, field, (_, pbf) => {
    pbf.writeDoubleField(1, value);
    if (created) writeCreated(created, createdMs, pbf);
  });
}

/** As {@link encodeSingle}. */
export function encodeHistogram(labels: Uint8Array, histogram: Distribution): Uint8Array {
  return encodeMetric(labels, HISTOGRAM, (_, pbf) => {
    writeCount(1, 4, histogram.count, pbf);
    pbf.writeDoubleField(2, histogram.sum);
    for (const point of histogram.points) pbf.writeMessage(3, writeBucket, point);
    if (histogram.native) writeNative(histogram.native, pbf);
    writeCreated(15, histogram.createdMs, pbf);
  });
}

/** As {@link encodeSingle}. */
export function encodeSummary(labels: Uint8Array, summary: Distribution): Uint8Array {
  return encodeMetric(labels, SUMMARY, (_, pbf) => {
    // A summary has no field for a count that is not whole.
    pbf.writeVarintField(1, Math.min(Math.max(Math.round(summary.count) || 0, 0), Number.MAX_SAFE_INTEGER));
    pbf.writeDoubleField(2, summary.sum);
    for (const point of summary.points) pbf.writeMessage(3, writeQuantile, point);
    writeCreated(4, summary.createdMs, pbf);
  });
}

/** The fields `label` of a metric. One without a value is no label, as Prometheus sees it. */
export function encodeLabels(labels: LabelSet): Uint8Array {
  sharedOfLabels.pos = 0;
  for (const name in labels) {
    const value = toText(labels[name]);
    if (value !== '') sharedOfLabels.writeMessage(LABEL, writeLabel, [toLabelName(name), value]);
  }
  return sharedOfLabels.buf.slice(0, sharedOfLabels.pos);
}

/** One for all, because it grows to what is needed once. */
const shared = new PbfWriter(new Uint8Array(4096));
const sharedOfLabels = new PbfWriter(new Uint8Array(1024));

function encodeMetric(
  labels: Uint8Array,
  field: number,
  write: (_: undefined, pbf: PbfWriter) => void,
): Uint8Array {
  shared.pos = 0;
  shared.writeMessage(
    METRIC,
    (_, pbf) => {
      pbf.realloc(labels.length);
      pbf.buf.set(labels, pbf.pos);
      pbf.pos += labels.length;
      pbf.writeMessage(field, write, undefined);
    },
    undefined,
  );
  return shared.buf.subarray(0, shared.pos);
}

function writeNative(native: NativeHistogram, pbf: PbfWriter): void {
  pbf.writeSVarintField(5, SCHEMA);
  pbf.writeDoubleField(6, ZERO_THRESHOLD_SECONDS);
  pbf.writeVarintField(7, native.zeroCount);
  for (const span of native.spans) pbf.writeMessage(12, writeSpan, span);
  pbf.writePackedSVarint(13, native.deltas as number[]);
}

function writeLabel([name, value]: readonly [string, string], pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  pbf.writeStringField(2, value);
}

function writeBucket([bound, count]: readonly [number, number], pbf: PbfWriter): void {
  writeCount(1, 4, count, pbf);
  pbf.writeDoubleField(2, bound);
}

function writeQuantile([quantile, value]: readonly [number, number], pbf: PbfWriter): void {
  pbf.writeDoubleField(1, quantile);
  pbf.writeDoubleField(2, value);
}

function writeSpan({ offset, length }: Span, pbf: PbfWriter): void {
  pbf.writeSVarintField(1, offset);
  pbf.writeVarintField(2, length);
}

/** A computed histogram may have counts that are not whole: the second field is for those. */
function writeCount(whole: number, fraction: number, count: number, pbf: PbfWriter): void {
  if (Number.isSafeInteger(count) && count >= 0) pbf.writeVarintField(whole, count);
  else pbf.writeDoubleField(fraction, count);
}

/** `google.protobuf.Timestamp`. */
function writeCreated(field: number, createdMs: number | undefined, pbf: PbfWriter): void {
  if (createdMs !== undefined) pbf.writeMessage(field, writeTimestamp, createdMs);
}

function writeTimestamp(ms: number, pbf: PbfWriter): void {
  pbf.writeVarintField(1, Math.floor(ms / 1000));
  pbf.writeVarintField(2, Math.floor(ms % 1000) * 1_000_000);
}
