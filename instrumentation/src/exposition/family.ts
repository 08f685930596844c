/** What a scrape hands out, whatever it is written as: families of samples at one moment. */
import type { NativeHistogram } from './native-histogram.ts';

export type LabelSet = Readonly<Record<string, string | number | undefined>>;

/** One value of a family, as client libraries hand it out. */
export interface Sample {
  readonly labels: LabelSet;
  readonly value: number;
  /** Where it is not the family's: `_bucket`, `_sum`. */
  readonly metricName?: string;
  /** When it was 0, in milliseconds since 1970; of a histogram its `_count` says it. */
  readonly createdMs?: number | undefined;
  /** Of the `_count` of a histogram that has one. */
  readonly native?: NativeHistogram | undefined;
}

/** What a source keeps of its samples, written already. A piece may be overwritten when the next one is asked for. */
export interface Written {
  lines(): Iterable<string | Uint8Array>;
  /** As fields `metric` of a `MetricFamily`. */
  messages(withNative: boolean): Iterable<Uint8Array>;
}

export interface Family {
  readonly name: string;
  readonly help: string;
  /** `counter`, `gauge`, `histogram` or `summary`. */
  readonly type: string;
  /** @prometheus-io/client leaves out the labels where there are none. */
  readonly values: readonly (Omit<Sample, 'labels'> & Partial<Pick<Sample, 'labels'>>)[];
  /** Undefined once somebody has looked at `values` and may have changed them. */
  readonly written?: Written | undefined;
}
