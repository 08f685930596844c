/**
 * What a worker and its primary send to each other. Counts travel as differences to what was reported before, so that the
 * primary only ever adds, keeps nothing of a worker that ended, and no sum falls; gauges travel as values, and go with their
 * worker. A channel of Node loses nothing and keeps the order. Everything is plain data that JSON keeps, in flat arrays.
 */

import type { Exemplar } from '../recording/snapshot.ts';

const TYPE = 'express-exact-metrics';

interface Typed {
  readonly type: typeof TYPE;
}

/** To the primary: a worker counts requests from now on. */
export interface Announcement extends Typed {
  readonly kind: 'announcement';
  readonly atMs: number;
}

/** To a worker: report from now on, beginning with everything. */
export interface Hello extends Typed {
  readonly kind: 'hello';
  /** Which aggregate it comes from, where there are several one after the other. */
  readonly session: number;
  readonly intervalMs: number;
}

/** To a worker: a scrape has come. */
export interface Question extends Typed {
  readonly kind: 'question';
  readonly question: number;
}

/** What every instrumented application of a worker has counted since the last such report, all at one moment. */
export interface RequestReport extends Typed {
  readonly kind: 'requests';
  readonly session: number;
  readonly atMs: number;
  /** Whether nothing that was counted before is missing, should the worker end now. */
  readonly isFinal: boolean;
  readonly sources: readonly SourceReport[];
}

/** One instrumented application. Rows and cells are defined once, and then known by their position. */
export interface SourceReport {
  readonly index: number;
  readonly definition?: SourceDefinition | undefined;
  readonly rows: readonly (readonly [path: string, method: string, declared: readonly number[] | null])[];
  readonly cells: readonly (readonly [row: number, code: string, createdMs: number])[];
  /**
   * For each cell that has changed: its position, seconds, the number of changed buckets, each with its requests, and the
   * same of native slots.
   */
  readonly numbers: readonly number[];
  /** The exemplars of changed cells, with the position of the cell. */
  readonly exemplars?: readonly (readonly [cell: number, Exemplar])[] | undefined;
  readonly inProgress: number;
}

export interface SourceDefinition {
  readonly prefix: string;
  /** What its registry adds to all metrics. */
  readonly labels: Readonly<Record<string, unknown>>;
  readonly bounds: readonly number[];
  readonly hasNative: boolean;
  readonly maxRows: number;
}

/** Of each registry, the metrics other than those of requests. */
export interface SampleReport extends Typed {
  readonly kind: 'samples';
  readonly session: number;
  /** That this answers. */
  readonly question?: number | undefined;
  /** Why there is nothing, if a collector failed. */
  readonly error?: string | undefined;
  readonly registries: readonly RegistryReport[];
}

export interface RegistryReport {
  readonly index: number;
  readonly families: readonly FamilyDefinition[];
  /** A position is used again when its series is gone. */
  readonly series: readonly SeriesDefinition[];
  /** Positions, each with its value; text where JSON has no such number. */
  readonly values: readonly (number | string)[];
  readonly gone: readonly number[];
}

export interface FamilyDefinition {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: string;
  /** Whether each worker has series of its own. */
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

/** `body` as it is sent. */
export const toMessage = <M extends Message>(body: Omit<M, 'type'>): M => ({ type: TYPE, ...body }) as M;

/** The application's own messages use the same channel. */
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

/** A clock that all processes of a machine have in common, in milliseconds. */
export const nowMs = () => Number(process.hrtime.bigint() / 1000n) / 1000;
