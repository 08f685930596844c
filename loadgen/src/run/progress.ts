/** The progress of a phase that is sent by this process or by several. */
import { type Phase, plannedMs, plannedRequests } from './plan.ts';

/** The current numbers. Percentiles of latency are in ms, and NaN without samples. */
export interface LiveNumbers {
  readonly sent: number;
  readonly errors: number;
  readonly dropped: number;
  readonly inFlight: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Progress {
  readonly pattern: string;
  readonly startMs: number;
  readonly connections: number;
  /** Undefined for a closed loop that ends by time. */
  readonly requests: number | undefined;
  /** Undefined if the phase ends by count. */
  readonly totalMs: number | undefined;
  /** The planned rate; undefined for a closed loop. */
  askedPerSecondAt(elapsedMs: number): number | undefined;
  numbers(): LiveNumbers;
}

export function createProgress(phase: Phase, startMs: number, numbers: () => LiveNumbers): Progress {
  const { pattern, schedule, connections } = phase;
  return {
    pattern,
    startMs,
    connections,
    requests: plannedRequests(phase),
    totalMs: plannedMs(phase),
    askedPerSecondAt: (elapsedMs) =>
      schedule.kind === 'closed' ? undefined : schedule.pacer.ratePerSecondAt(elapsedMs),
    numbers,
  };
}

export interface SenderObserver {
  note(text: string): void;
  phaseStarted(progress: Progress): void;
  phaseEnded(): void;
}
