/** Sends the phases, in this process or in several: first waits for the target, then sends from a common start time. */
import { NotSentError } from '../common/errors.ts';
import { sumExpectedCounts } from '../common/expected-counts.ts';
import { sleep } from '../common/wait.ts';
import { type Addresses, waitForTarget } from '../http/addresses.ts';
import type { Origin } from '../http/origin.ts';
import type { Sent } from '../report/combine.ts';
import { type PhaseOutcome, runPhase } from './phase.ts';
import type { Phase } from './plan.ts';
import type { SenderObserver } from './progress.ts';

export interface Sender {
  readonly phases: readonly Phase[];
  /** @throws UnreachableError if the target accepts no connection in time */
  prepare(): Promise<void>;
  /** Aborts with the error if a worker is lost before sending starts. */
  readonly lost: AbortSignal;
  /**
   * @param startAtMs wall-clock time; immediately if undefined
   * @throws NotSentError if nothing was sent
   */
  send(startAtMs: number | undefined): Promise<Sent>;
  /** Stops everything that is still running, immediately. */
  close(): void;
}

export interface SenderOptions {
  readonly origin: Origin;
  readonly phases: readonly Phase[];
  readonly waitMs: number;
  readonly observer: SenderObserver;
  /** Ctrl-C: stops sending, and waits for requests in flight. */
  readonly signal: AbortSignal;
}

export function createSender(options: SenderOptions): Sender {
  const { origin, phases, waitMs, observer, signal } = options;
  let addresses: Addresses | undefined;
  return {
    phases,
    async prepare() {
      const onWait = (why: string) => observer.note(`waiting for ${origin.url}: ${why}`);
      addresses = await waitForTarget(origin, waitMs, onWait, signal);
    },
    lost: new AbortController().signal,
    async send(startAtMs) {
      if (addresses === undefined) throw new TypeError('prepare comes before send');
      return sendAll(options, addresses, await waitForStart(startAtMs, signal));
    },
    close() {},
  };
}

async function sendAll(options: SenderOptions, addresses: Addresses, startMs: number): Promise<Sent> {
  const { signal } = options;
  const ended: PhaseOutcome[] = [];
  for (const phase of options.phases) {
    if (signal.aborted) break;
    const phaseStartMs = ended.length === 0 ? startMs : performance.now();
    ended.push(await runPhase(phase, { ...options, addresses, startMs: phaseStartMs }));
  }
  return {
    state: signal.aborted ? 'interrupted' : 'finished',
    endedAt: new Date().toISOString(),
    phases: ended.map(({ report }) => report),
    expectedCounts: sumExpectedCounts(ended.map(({ expectedCounts }) => expectedCounts)),
    lostShards: [],
  };
}

/**
 * The start is a wall-clock time, because shards on several machines have no other clock in common. The clock is read again this
 * often, because it may be adjusted during a long wait, and the machine may be suspended.
 */
const LOOK_EVERY_MS = 60_000;

/** A smaller delay only appears as lateness and does not prevent sending. */
const LATE_MS = 100;
/** On a busy machine a process wakes up late by less than this; after a suspension, by more. */
const WOKEN_LATE_MS = 1_000;

/** Returns at that time, or as soon as the signal aborts. */
export async function waitUntil(atMs: number, signal: AbortSignal): Promise<void> {
  for (let leftMs = atMs - Date.now(); leftMs > 0 && !signal.aborted; leftMs = atMs - Date.now())
    await sleep(Math.min(leftMs, LOOK_EVERY_MS), signal).catch(() => {});
}

/** @throws NotSentError if that time has passed, because the schedule would start with a backlog */
export function refuseMissed(atMs: number, allowedMs = LATE_MS): void {
  const lateMs = Date.now() - atMs;
  if (lateMs > allowedMs)
    throw new NotSentError(`the start was missed by ${lateMs} ms: not every process was ready in time`);
}

/**
 * Waits for the start, if defined. @returns the start of the schedule on the monotonic clock
 * @throws NotSentError if the start was missed
 */
async function waitForStart(atMs: number | undefined, signal: AbortSignal): Promise<number> {
  if (atMs === undefined) return performance.now();
  refuseMissed(atMs);
  await waitUntil(atMs, signal);
  if (!signal.aborted) refuseMissed(atMs, WOKEN_LATE_MS);
  return performance.now() + atMs - Date.now();
}
