/** What a scrape hands out, before it is encoded: families of samples at one moment. */
import { isLabelSet } from '../recording/exemplars.ts';
import type { Exemplar } from '../recording/snapshot.ts';
import type { NativeHistogram } from './native-histogram.ts';

/** Values are text; the client library keeps anything else that it was given as it is, see {@link toText}. */
export type LabelSet = Readonly<Record<string, unknown>>;

/** One value of a family, as client libraries hand it out. */
export interface Sample {
  readonly labels: LabelSet;
  readonly value: number;
  /** Where it is not the family's: `_bucket`, `_sum`. */
  readonly metricName?: string;
  /** When it was 0, in milliseconds since 1970; of a histogram its `_count` says it. */
  readonly createdMs?: number | undefined;
  /** Only for counters and `_bucket`. */
  readonly exemplar?: Exemplar | null | undefined;
  /** Of the `_count` of a histogram that has one. */
  readonly native?: NativeHistogram | undefined;
}

/** What a source keeps of its samples, encoded already. A piece may be overwritten when the next one is asked for. */
export interface EncodedFamily {
  lines(withExemplars: boolean): Iterable<string | Uint8Array>;
  /** As fields `metric` of a `MetricFamily`. */
  messages(withNative: boolean): Iterable<Uint8Array>;
}

/** What a family is called, before it has values. */
export interface Description {
  readonly name: string;
  readonly help: string;
  /** `counter`, `gauge`, `histogram` or `summary`. */
  readonly type: string;
}

export interface Family extends Description {
  /** @prometheus-io/client leaves out the labels where there are none. */
  readonly values: readonly (Omit<Sample, 'labels'> & Partial<Pick<Sample, 'labels'>>)[];
  /** The same as `values`, which need not be asked for then. */
  readonly encoded?: EncodedFamily;
}

/** @returns the exemplar of a sample, or undefined if scrapers would not accept it */
export function toExemplar(given: unknown): Exemplar | undefined {
  const { labelSet, value, timestamp } = (given ?? {}) as Partial<Record<keyof Exemplar, unknown>>;
  const isExemplar = isLabelSet(labelSet) && typeof value === 'number' && Number.isFinite(timestamp);
  return isExemplar ? (given as Exemplar) : undefined;
}

/** The text of any label value that a metric of the user's was given; nothing throws, and no value is left out. */
export function toText(value: unknown): string {
  if (typeof value === 'number') return toNumberText(value);
  try {
    return String(value ?? '');
  } catch {
    return 'unprintable';
  }
}

/** What is wrong, from anything that was thrown. */
export const reasonOf = (error: unknown) => toText(error instanceof Error ? error.message : error);

const LABEL_NAME = /^[a-zA-Z_]\w*$/;

/** The client library checks the names of a metric's own labels, and not those that a registry adds to all. */
export function toLabelName(name: string): string {
  return LABEL_NAME.test(name) ? name : name.replace(/\W/g, '_').replace(/^(?!\D)/, '_');
}

/** The number of anything that a sample has for a value: prom-client adds `''` up to text. */
export function toNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' || typeof value === 'bigint' ? Number(value) : Number.NaN;
}

export function toNumberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
