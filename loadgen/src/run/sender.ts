/** Who sends: this process, or several of it. Both wait for the target first and then send all phases, from one moment on. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CheckError } from '../common/errors.ts';
import { type Addresses, waitForTarget } from '../http/addresses.ts';
import type { Origin } from '../http/origin.ts';
import { sumTallies, type TallyEntry } from '../proof/tally.ts';
import type { PhaseReport, Report } from '../report/report.ts';
import { runPhase } from './phase.ts';
import type { Phase } from './plan.ts';
import type { PhaseObserver } from './progress.ts';

export interface Sender {
  readonly phases: readonly Phase[];
  /** @throws UnreachableError when the target accepts no connection in time */
  prepare(): Promise<void>;
  /**
   * @param startAtMs on the clock of the day
   * @param started the report as far as it goes
   * @returns the report with what was sent
   */
  send(startAtMs: number, started: Report): Promise<Report>;
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
  const { origin, waitMs, observer, signal } = options;
  let addresses: Addresses | undefined;
  return {
    phases: options.phases,
    async prepare() {
      const onWait = (why: string) => observer.note(`waiting for ${origin.url}: ${why}`);
      addresses = await waitForTarget(origin, waitMs, onWait, signal);
    },
    async send(startAtMs, started) {
      if (addresses === undefined) throw new TypeError('prepare comes before send');
      const startMs = await waitUntil(startAtMs, signal);
      return { ...started, ...(await sendAll(options, addresses, startMs)) };
    },
  };
}

/** @returns the moment on the monotonic clock. @throws CheckError when it is over: the schedule would begin with a backlog */
async function waitUntil(atMs: number, signal: AbortSignal): Promise<number> {
  const leftMs = atMs - Date.now();
  if (leftMs < -LATE_MS)
    throw new CheckError(
      `--start-at: that moment was over ${Math.round(-leftMs)} ms before all was ready to send`,
    );
  const startMs = performance.now() + leftMs;
  if (leftMs > 0) await sleep(leftMs, undefined, { signal });
  return startMs;
}

/** A timer may come a little late; that shows as lateness, and is no reason not to send. */
const LATE_MS = 100;

async function sendAll(options: SenderOptions, addresses: Addresses, startMs: number) {
  const phases: PhaseReport[] = [];
  const tallies: TallyEntry[][] = [];
  let gaveUp = false;
  for (const phase of options.phases) {
    if (options.signal.aborted || gaveUp) break;
    const ended = await runPhase(phase, {
      ...options,
      addresses,
      startMs: phases.length === 0 ? startMs : performance.now(),
    });
    phases.push(ended.report);
    tallies.push(ended.tally);
    gaveUp = ended.gaveUp;
  }
  const state = options.signal.aborted ? 'interrupted' : gaveUp ? 'gave-up' : 'finished';
  return { state, endedAt: new Date().toISOString(), phases, tally: sumTallies(tallies) } as const;
}
