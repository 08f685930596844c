/** A run: wait, read, send, read again, compare. Everything it tells on the way goes to a {@link RunObserver}. */
import { randomUUID } from 'node:crypto';
import { UnreachableError } from './errors.ts';
import { type Addresses, type Origin, waitForTarget } from './http/origin.ts';
import { type LedgerEntry, sumLedgers } from './ledger.ts';
import { type PhaseObserver, runPhase } from './phase.ts';
import type { Phase } from './plan.ts';
import type { Prometheus } from './prometheus.ts';
import { mayHeal, prove } from './proof.ts';
import {
  DURATIONS,
  type Reading,
  type ReadingOptions,
  sumOf,
  takeReading,
  takeSettledReading,
} from './reading.ts';
import type { PhaseReport, Report } from './report.ts';

export interface RunOptions {
  readonly origin: Origin;
  readonly phases: readonly Phase[];
  readonly seed: number;
  readonly waitMs: number;
  readonly prometheus: Prometheus | undefined;
  readonly job: string;
  /** Compare with Prometheus at the end. */
  readonly verify: boolean;
  readonly onlyOnFreshApi: boolean;
  /** Ctrl-C: stop sending, finish what is in flight. */
  readonly signal: AbortSignal;
  readonly observer: RunObserver;
}

export interface RunObserver extends PhaseObserver {
  note(text: string): void;
  /** The report as far as it goes; the first time before the first request leaves, so that a killed run leaves a trace. */
  save(report: Report): Promise<void>;
}

export interface RunOutcome {
  readonly report: Report;
  /** Why the reading after the run could not be taken; then there is no proof. */
  readonly unreachable?: UnreachableError;
}

/** @returns the outcome, or how many requests the API had already handled when only a fresh one was wanted */
export async function run(options: RunOptions): Promise<RunOutcome | { readonly alreadyHandled: number }> {
  const { origin, prometheus, observer, signal } = options;
  const onWait = (why: string) => observer.note(`waiting for ${origin.url}: ${why}`);
  const addresses = await waitForTarget(origin, options.waitMs, onWait, signal);
  const before =
    prometheus === undefined ? null : await takeReading(prometheus, readingOptions(options, signal));
  if (before !== null && options.onlyOnFreshApi) {
    const alreadyHandled = sumOf(before, DURATIONS);
    if (alreadyHandled > 0) return { alreadyHandled };
  }
  const started = startReport(options, before);
  await observer.save(started);
  const sent = await sendAll(options, addresses, started);
  await observer.save(sent);
  if (prometheus === undefined || before === null || !options.verify) return { report: sent };
  try {
    // A run that was interrupted is proved all the same: the first Ctrl-C has done its work, a second ends the process.
    const late = readingOptions(options, new AbortController().signal);
    const isMissing = (after: Reading) => mayHeal(prove(before, after, sent.ledger));
    const after = await takeSettledReading(prometheus, late, isMissing);
    const report = { ...sent, readings: { before, after }, proof: prove(before, after, sent.ledger) };
    await observer.save(report);
    return { report };
  } catch (error) {
    if (error instanceof UnreachableError) return { report: sent, unreachable: error };
    throw error;
  }
}

function readingOptions({ job, waitMs, observer }: RunOptions, signal: AbortSignal): ReadingOptions {
  return { job, waitMs, signal, onWait: (why) => observer.note(`waiting for Prometheus: ${why}`) };
}

function startReport({ origin, prometheus, seed }: RunOptions, before: Reading | null): Report {
  return {
    kind: 'loadgen-run',
    version: 1,
    id: randomUUID(),
    state: 'started',
    startedAt: new Date().toISOString(),
    endedAt: null,
    target: origin.url,
    prometheus: prometheus?.url ?? null,
    seed,
    phases: [],
    ledger: [],
    readings: { before, after: null },
    proof: null,
  };
}

async function sendAll(options: RunOptions, addresses: Addresses, started: Report): Promise<Report> {
  const phases: PhaseReport[] = [];
  const ledgers: LedgerEntry[][] = [];
  let gaveUp = false;
  for (const phase of options.phases) {
    if (options.signal.aborted || gaveUp) break;
    const ended = await runPhase(phase, { ...options, addresses });
    phases.push(ended.report);
    ledgers.push(ended.ledger);
    gaveUp = ended.gaveUp;
  }
  const state = options.signal.aborted ? 'interrupted' : gaveUp ? 'gave-up' : 'finished';
  return { ...started, state, endedAt: new Date().toISOString(), phases, ledger: sumLedgers(ledgers) };
}
