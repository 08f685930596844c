/**
 * The messages between a worker and its primary. Counts travel as differences to the previous report: the primary only adds,
 * keeps nothing of an ended worker, and no sum falls. Gauges travel as values and disappear with their worker. Node's channels
 * lose nothing and keep the order. All messages are plain data in flat arrays that JSON preserves.
 */

import type { Exemplar } from '../recording/snapshot.ts';

const TYPE = 'express-exact-metrics';

interface Typed {
  readonly type: typeof TYPE;
}

/** To the primary: this worker counts requests from now on. */
export interface Announcement extends Typed {
  readonly kind: 'announcement';
  readonly atMs: number;
}

/** To a worker: report from now on, starting with everything. */
export interface Hello extends Typed {
  readonly kind: 'hello';
  /** Which aggregate sends this, if several follow each other. */
  readonly session: number;
  readonly intervalMs: number;
}

/** To a worker: a scrape has arrived. */
export interface Question extends Typed {
  readonly kind: 'question';
  readonly question: number;
}

/** What every instrumented application of a worker has counted since the previous report, all at one moment. */
export interface RequestReport extends Typed {
  readonly kind: 'requests';
  readonly session: number;
  readonly atMs: number;
  /** Whether the reports would be complete if the worker ended now. */
  readonly isFinal: boolean;
  readonly sources: readonly SourceReport[];
}

/** One instrumented application. A row or cell is defined once and then identified by its position. */
export interface SourceReport {
  readonly index: number;
  readonly definition?: SourceDefinition | undefined;
  readonly rows: readonly (readonly [path: string, method: string, declared: readonly number[] | null])[];
  readonly cells: readonly (readonly [row: number, code: string, createdMs: number])[];
  /**
   * For each changed cell: its position, seconds, the number of changed buckets, each bucket with its requests, and the same
   * for native slots.
   */
  readonly numbers: readonly number[];
  /** The exemplars of changed cells, each with the position of its cell. */
  readonly exemplars?: readonly (readonly [cell: number, Exemplar])[] | undefined;
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

/** The metrics of each registry, except those of requests. */
export interface SampleReport extends Typed {
  readonly kind: 'samples';
  readonly session: number;
  /** The question that this answers. */
  readonly question?: number | undefined;
  /** Why there are no values, if a collector failed. */
  readonly error?: string | undefined;
  readonly registries: readonly RegistryReport[];
}

export interface RegistryReport {
  readonly index: number;
  readonly families: readonly FamilyDefinition[];
  /** A position is reused when its series is gone. */
  readonly series: readonly SeriesDefinition[];
  /** Positions, each with its value; text for numbers that JSON lacks. */
  readonly values: readonly (number | string)[];
  readonly gone: readonly number[];
}

export interface FamilyDefinition {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: string;
  /** Whether each worker has its own series. */
  readonly isOfProcess: boolean;
}

export type SeriesDefinition = readonly [
  index: number,
  family: number,
  metricName: string | null,
  labels: Readonly<Record<string, number | string>>,
  isCount: boolean,
];

export type FromWorker = Announcement | RequestReport | SampleReport;
export type ToWorker = Hello | Question;
export type Message = FromWorker | ToWorker;

/** Wraps `body` for the channel. */
export const toMessage = <M extends Message>(body: Omit<M, 'type'>): M => ({ type: TYPE, ...body }) as M;

/** Distinguishes our messages from the application's, which use the same channel. */
export function isMessage(value: unknown): value is Message {
  return (
    typeof value === 'object' &&
    value !== null &&
    (value as Message).type === TYPE &&
    'kind' in (value as Message)
  );
}

/** The channel of a thread. */
export const channelName = (threadId: number) => `${TYPE}: thread ${threadId}`;

/** A clock that all processes of a machine share, in milliseconds. */
export const nowMs = () => Number(process.hrtime.bigint() / 1000n) / 1000;
