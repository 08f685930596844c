/** The data of a scrape before it is encoded: families of samples at one moment. */
import { isLabelSet } from '../recording/exemplars.ts';
import type { Exemplar } from '../recording/snapshot.ts';
import type { NativeHistogram } from './native-histogram.ts';

/** Values are text; the client library keeps other values unchanged, see {@link toText}. */
export type LabelSet = Readonly<Record<string, unknown>>;

/** One value of a family, as client libraries return it. */
export interface Sample {
  readonly labels: LabelSet;
  readonly value: number;
  /** Set when it differs from the family's name: `_bucket`, `_sum`. */
  readonly metricName?: string;
  /** The time at which the value was 0, in milliseconds since 1970; set on a histogram's `_count`. */
  readonly createdMs?: number | undefined;
  /** Only for counters and `_bucket`. */
  readonly exemplar?: Exemplar | null | undefined;
  /** Set on the `_count` of a native histogram. */
  readonly native?: NativeHistogram | undefined;
}

/** Samples that a source keeps encoded. A piece may be overwritten when the next one is read. */
export interface EncodedFamily {
  lines(withExemplars: boolean): Iterable<string | Uint8Array>;
  /** The samples as `metric` fields of a `MetricFamily`. */
  messages(withNative: boolean): Iterable<Uint8Array>;
}

/** The header of a family, before it has values. */
export interface Description {
  readonly name: string;
  readonly help: string;
  /** `counter`, `gauge`, `histogram` or `summary`. */
  readonly type: string;
}

export interface Family extends Description {
  /** @prometheus-io/client omits the labels when there are none. */
  readonly values: readonly (Omit<Sample, 'labels'> & Partial<Pick<Sample, 'labels'>>)[];
  /** The same content as `values`, which readers can then ignore. */
  readonly encoded?: EncodedFamily;
}

/** @returns the exemplar of a sample, or undefined if scrapers would not accept it */
export function toExemplar(given: unknown): Exemplar | undefined {
  const { labelSet, value, timestamp } = (given ?? {}) as Partial<Record<keyof Exemplar, unknown>>;
  const isExemplar = isLabelSet(labelSet) && typeof value === 'number' && Number.isFinite(timestamp);
  return isExemplar ? (given as Exemplar) : undefined;
}

/** Converts any label value that a user sets to text; never throws and never drops a value. */
export function toText(value: unknown): string {
  if (typeof value === 'number') return toNumberText(value);
  try {
    return String(value ?? '');
  } catch {
    return 'unprintable';
  }
}

/** The message of any thrown value. */
export const reasonOf = (error: unknown) => toText(error instanceof Error ? error.message : error);

const LABEL_NAME = /^[a-zA-Z_]\w*$/;

/** Repairs the name of a label that a registry adds to all metrics: the client library checks only a metric's own labels. */
export function toLabelName(name: string): string {
  return LABEL_NAME.test(name) ? name : name.replace(/\W/g, '_').replace(/^(?!\D)/, '_');
}

/** Converts any sample value to a number: adding `''` in prom-client turns the sum into text. */
export function toNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' || typeof value === 'bigint' ? Number(value) : Number.NaN;
}

export function toNumberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
