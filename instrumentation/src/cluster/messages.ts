/**
 * The messages between a worker and its primary. Counts are sent as differences from the previous report: the primary only
 * adds them, keeps no state of ended workers, and its sums never decrease. Gauges are sent as values and disappear with
 * their worker. Node's channels lose no messages and preserve their order. All messages are plain data that JSON preserves.
 */
import type { Exemplar } from '../recording/snapshot.ts';

const TYPE = 'express-exact-metrics';

export type ToWorker =
  /** Report from now on, starting with a full report. */
  | {
      readonly kind: 'hello';
      /** Identifies the aggregate, if there are several in succession. */
      readonly session: number;
      readonly intervalMs: number;
    }
  /** A scrape has arrived. */
  | { readonly kind: 'question'; readonly question: number };

interface Report {
  /** The session from the aggregate's `hello`. It is undefined before that message, when an empty report announces the worker. */
  readonly session?: number | undefined;
  /** With this report, the primary has all counts up to this time. */
  readonly atMs: number;
}

/** The counts of every instrumented application of a worker since the previous report, all taken at one moment. */
export interface RequestReport extends Report {
  readonly kind: 'requests';
  /** Whether the reports would be complete if the worker ended now. */
  readonly isFinal: boolean;
  readonly sources: readonly SourceReport[];
}

/** One instrumented application. A row or cell is defined once and then identified by its position. */
export interface SourceReport {
  readonly index: number;
  /** Only in the first report. */
  readonly definition?: SourceDefinition | undefined;
  readonly rows: readonly (readonly [path: string, method: string, declared: readonly number[] | null])[];
  readonly cells: readonly (readonly [row: number, code: string, createdMs: number])[];
  /**
   * For each changed cell: its position, seconds, the number of changed buckets, and each bucket with its requests. The slots of
   * native histograms follow the classic buckets.
   */
  readonly numbers: readonly number[];
  /** The exemplars of changed cells, each with the position of its cell. */
  readonly exemplars: readonly (readonly [cell: number, Exemplar])[];
  readonly inProgress: number;
}

export interface SourceDefinition {
  readonly prefix: string;
  /** The labels that its registry adds to all metrics. */
  readonly labels: Readonly<Record<string, unknown>>;
  readonly bounds: readonly number[];
  readonly hasNative: boolean;
  readonly maxRows: number;
}

/** The metrics of registries, except those of requests. */
export interface SampleReport extends Report {
  readonly kind: 'samples';
  /** The question that this report answers. */
  readonly question?: number | undefined;
  /** The reason why a metric has no new values, if its collector failed. */
  readonly error?: string | undefined;
  readonly metrics: readonly MetricReport[];
}

/** One metric. A series is defined once and then identified by its number. */
export interface MetricReport {
  /** Of the new series, if there are any. */
  readonly definition?: MetricDefinition;
  readonly series: readonly SeriesDefinition[];
  /** Numbers of series, each followed by its value; text for values that JSON cannot represent. */
  readonly values: readonly (number | string)[];
  /** The removed series. */
  readonly gone: readonly number[];
}

export interface MetricDefinition {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: string;
  /** The bounds of a histogram. */
  readonly bounds?: readonly number[] | undefined;
  /** Whether each worker has its own series. */
  readonly isOfProcess: boolean;
}

export type SeriesDefinition = readonly [
  index: number,
  metricName: string | null,
  labels: Readonly<Record<string, number | string>>,
  isCount: boolean,
];

export type FromWorker = RequestReport | SampleReport;

/** The primary's state of one application, or of all other metrics, of a living worker. */
export interface Totals<R> {
  add(report: R): void;
  /** Keeps the counts and drops everything else. */
  end(): void;
}

/** Marks a message as ours, because the application uses the same channel. */
export const mark = <M extends ToWorker | FromWorker>(message: M) => ({ type: TYPE, ...message });

export const isMarked = (message: unknown) => (message as { type?: unknown } | null)?.type === TYPE;

/** The channel of a thread. */
export const channelName = (threadId: number) => `${TYPE}: thread ${threadId}`;

/** A clock that all processes of a machine share, in milliseconds. */
export const nowMs = () => Number(process.hrtime.bigint() / 1000n) / 1000;
