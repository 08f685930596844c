/** What sends: this process, or several of it. Both wait for the target first and then send all phases, from one moment on. */
import { NotSentError } from '../common/errors.ts';
import { sleep } from '../common/wait.ts';
import { type Addresses, waitForTarget } from '../http/addresses.ts';
import type { Origin } from '../http/origin.ts';
import type { Sent } from '../report/combine.ts';
import { sumExpectedCounts } from '../verify/expected-counts.ts';
import { type PhaseOutcome, runPhase } from './phase.ts';
import type { Phase } from './plan.ts';
import type { PhaseObserver } from './progress.ts';

export interface Sender {
  readonly phases: readonly Phase[];
  /** @throws UnreachableError when the target accepts no connection in time */
  prepare(): Promise<void>;
  /** Aborts, with the error, when a part of it is lost that has to be there when the sending starts. */
  readonly lost: AbortSignal;
  /**
   * @param startAtMs on the clock of the day; at once where it is undefined
   * @throws NotSentError when it has sent nothing
   */
  send(startAtMs: number | undefined): Promise<Sent>;
  /** Ends, at once, whatever of it still runs. */
  close(): void;
}

export interface SenderOptions {
  readonly origin: Origin;
  readonly phases: readonly Phase[];
  readonly waitMs: number;
  readonly observer: SenderObserver;
  /** Ctrl-C: stop sending, finish what is in flight. */
  readonly signal: AbortSignal;
}

export interface SenderObserver extends PhaseObserver {
  note(text: string): void;
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

/** The start is on the clock of the day, as shards on several machines have no other in common. It is read again this often: it may be set during a long wait, and a machine may be suspended. */
const LOOK_EVERY_MS = 60_000;

/** Not being ready by so little shows as lateness, and is no reason not to send. */
const LATE_MS = 100;
/** A busy machine wakes a process late by less than this, a suspended one by more. */
const WOKEN_LATE_MS = 1_000;

/** Returns at that moment, or as soon as the signal aborts. */
export async function waitUntil(atMs: number, signal: AbortSignal): Promise<void> {
  for (let leftMs = atMs - Date.now(); leftMs > 0 && !signal.aborted; leftMs = atMs - Date.now())
    await sleep(Math.min(leftMs, LOOK_EVERY_MS), signal).catch(() => {});
}

/** @throws NotSentError when the moment is over: the schedule would start with a backlog */
export function refuseMissed(atMs: number, allowedMs = LATE_MS): void {
  const lateMs = Date.now() - atMs;
  if (lateMs > allowedMs)
    throw new NotSentError(`the start was missed by ${lateMs} ms: not every process was ready in time`);
}

/**
 * Waits for the start, unless it is at once (undefined). @returns it on the monotonic clock, from which the schedule counts
 * @throws NotSentError when it was missed
 */
async function waitForStart(atMs: number | undefined, signal: AbortSignal): Promise<number> {
  if (atMs === undefined) return performance.now();
  refuseMissed(atMs);
  await waitUntil(atMs, signal);
  if (!signal.aborted) refuseMissed(atMs, WOKEN_LATE_MS);
  return performance.now() + atMs - Date.now();
}
