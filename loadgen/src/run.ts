/** A run: wait, read, send, read again, compare. Everything it tells on the way goes to a {@link RunObserver}. */
import { randomUUID } from 'node:crypto';
import { attack, systemClock } from './attacker.ts';
import { UnreachableError } from './errors.ts';
import { HttpClient } from './http/client.ts';
import {
  type Addresses,
  encodeRequest,
  type Origin,
  type RequestParts,
  waitForTarget,
} from './http/origin.ts';
import { type LedgerEntry, LedgerKeeper, sumLedgers } from './ledger.ts';
import type { Target } from './pattern.ts';
import { type Phase, plannedMs, plannedRequests } from './plan.ts';
import type { Prometheus } from './prometheus.ts';
import { prove } from './proof.ts';
import {
  DURATIONS,
  type Reading,
  type ReadingOptions,
  sumOf,
  takeReading,
  takeSettledReading,
} from './reading.ts';
import type { PhaseReport, Report } from './report.ts';
import type { Recorder } from './result.ts';
import { Summary, toMeasured } from './summary.ts';
import { checkThreshold } from './thresholds.ts';

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

/** The state of a phase while it runs. */
export interface Progress {
  readonly phase: Phase;
  readonly startMs: number;
  readonly summary: Summary;
  readonly inFlight: () => number;
}

export interface RunObserver {
  note(text: string): void;
  phaseStarted(progress: Progress): void;
  phaseEnded(): void;
  /** The report as far as it goes; the first time before the first request leaves, so that a killed run leaves a trace. */
  save(report: Report): Promise<void>;
  /** The moments at which a pattern's sending starts and ends. Must not reject. */
  mark(moment: 'start' | 'end', pattern: string): Promise<void>;
}

/** An exact or closed run is given up when nothing was answered for this long: it would end only with the last timeout. */
const GIVE_UP_MS = 30_000;

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
    const after = await takeSettledReading(prometheus, readingOptions(options, new AbortController().signal));
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
    const ended = await runPhase(phase, addresses, options);
    phases.push(ended.report);
    ledgers.push(ended.ledger);
    gaveUp = ended.gaveUp;
  }
  const state = options.signal.aborted ? 'interrupted' : gaveUp ? 'gave-up' : 'finished';
  return { ...started, state, endedAt: new Date().toISOString(), phases, ledger: sumLedgers(ledgers) };
}

async function runPhase(phase: Phase, addresses: Addresses, { origin, observer, signal }: RunOptions) {
  const summary = new Summary();
  const keeper = new LedgerKeeper(phase.targets);
  const recorder = createRecorder(phase.targets, summary, keeper);
  const requests = phase.targets.map((target) => ({
    bytes: encodeRequest(origin, toRequestParts(target)),
    isHead: target.method === 'HEAD',
  }));
  const client = new HttpClient({ ...phase, origin, addresses, requests, recorder });
  const startMs = performance.now();
  const patience = watchForAnswers(phase, summary, startMs);
  const marked = observer.mark('start', phase.pattern);
  observer.phaseStarted({ phase, startMs, summary, inFlight: () => client.inFlight });
  try {
    await attack({
      ...phase,
      client,
      recorder,
      clock: systemClock,
      signal: AbortSignal.any([signal, patience.signal]),
    });
  } finally {
    patience.stop();
    client.close();
    observer.phaseEnded();
  }
  await marked;
  await observer.mark('end', phase.pattern);
  const report = reportPhase(phase, summary, startMs, client);
  return { report, ledger: keeper.toLedger(), gaveUp: patience.signal.aborted };
}

function createRecorder(targets: readonly Target[], summary: Summary, keeper: LedgerKeeper): Recorder {
  const expected = targets.map(({ expect }) => expect);
  return {
    answered(target, status, intendedMs, sentMs, endedMs) {
      const wanted = expected[target];
      summary.recordAnswer(
        status,
        wanted === undefined ? status < 400 : status === wanted,
        intendedMs,
        sentMs,
        endedMs,
      );
      keeper.answered(target, status);
    },
    failed(target, kind, intendedMs, sentMs, endedMs) {
      summary.recordFailure(kind, intendedMs, sentMs, endedMs);
      keeper.unanswered(target, !Number.isNaN(sentMs));
    },
    dropped() {
      summary.dropped++;
    },
  };
}

/** Aborts an exact or closed phase that gets no answers any more. The open model goes on: the target may come back. */
function watchForAnswers({ schedule }: Phase, summary: Summary, startMs: number) {
  const controller = new AbortController();
  let answered = 0;
  let sinceMs = startMs;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    if (summary.answered > answered || summary.unanswered === 0) sinceMs = nowMs;
    answered = summary.answered;
    if (schedule.kind !== 'open' && nowMs - sinceMs > GIVE_UP_MS) controller.abort();
  }, 1000);
  return { signal: controller.signal, stop: () => clearInterval(timer) };
}

function toRequestParts({ method, path, headers, body }: Target): RequestParts {
  if (body === undefined || typeof body === 'string') return { method, path, headers, body };
  const isTyped = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type');
  const typed = isTyped ? headers : { ...headers, 'content-type': 'application/json' };
  return { method, path, headers: typed, body: JSON.stringify(body) };
}

function reportPhase(phase: Phase, summary: Summary, startMs: number, client: HttpClient): PhaseReport {
  const { schedule, connections, timeoutMs } = phase;
  const result = summary.toPhase(startMs, schedule.kind === 'closed' ? 0 : schedule.pacer.durationMs);
  const durationMs = plannedMs(phase);
  return {
    pattern: phase.pattern,
    plan: {
      schedule: schedule.kind,
      requests: plannedRequests(phase) ?? null,
      durationSeconds: durationMs === undefined ? null : durationMs / 1000,
      connections,
      timeoutSeconds: timeoutMs / 1000,
    },
    ...result,
    durationSeconds: (performance.now() - startMs) / 1000,
    bytesRead: client.bytesRead,
    bytesWritten: client.bytesWritten,
    thresholds: phase.thresholds.map((text) => checkThreshold(text, toMeasured(result, summary.unsent))),
  };
}
