/** One phase of a run: a pattern, sent. It joins schedule, client, summary and ledger, which know nothing of each other. */
import { attack, systemClock } from './attacker.ts';
import { HttpClient } from './http/client.ts';
import { type Addresses, encodeRequest, type Origin, type RequestParts } from './http/origin.ts';
import { type LedgerEntry, LedgerKeeper } from './ledger.ts';
import type { Target } from './pattern.ts';
import { type Phase, plannedMs, plannedRequests } from './plan.ts';
import type { PhaseReport } from './report.ts';
import type { Recorder } from './result.ts';
import { Summary, toMeasured } from './summary.ts';
import { checkThreshold } from './thresholds.ts';

/** The state of a phase while it runs. */
export interface Progress {
  readonly phase: Phase;
  readonly startMs: number;
  readonly summary: Summary;
  readonly inFlight: () => number;
}

export interface PhaseObserver {
  phaseStarted(progress: Progress): void;
  phaseEnded(): void;
  /** The moments at which a pattern's sending starts and ends. Must not reject. */
  mark(moment: 'start' | 'end', pattern: string): Promise<void>;
}

export interface PhaseOptions {
  readonly origin: Origin;
  readonly addresses: Addresses;
  readonly observer: PhaseObserver;
  /** Stops the sending; what is in flight is still waited for. */
  readonly signal: AbortSignal;
}

export interface PhaseOutcome {
  readonly report: PhaseReport;
  readonly ledger: LedgerEntry[];
  /** Nothing was answered any more, so the rest was not sent. */
  readonly gaveUp: boolean;
}

/** An exact or closed run is given up when nothing was answered for this long: it would end only with the last timeout. */
const GIVE_UP_MS = 30_000;

/** Sends one phase to its end. It opens and closes its own connections. */
export async function runPhase(
  phase: Phase,
  { origin, addresses, observer, signal }: PhaseOptions,
): Promise<PhaseOutcome> {
  const summary = new Summary();
  const keeper = new LedgerKeeper(phase.targets);
  const recorder = createRecorder(phase.targets, summary, keeper);
  const requests = phase.targets.map((target) => ({
    bytes: encodeRequest(origin, toRequestParts(target)),
    isHead: target.method === 'HEAD',
  }));
  const client = new HttpClient({ ...phase, origin, addresses, requests, recorder });
  const startMs = performance.now();
  const progress = { phase, startMs, summary, inFlight: () => client.inFlight };
  const patience = watchForAnswers(progress);
  const marked = observer.mark('start', phase.pattern);
  observer.phaseStarted(progress);
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
  const report = reportPhase(phase, summary, startMs, client);
  await Promise.all([marked, observer.mark('end', phase.pattern)]);
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
export function watchForAnswers({ phase, startMs, summary, inFlight }: Progress) {
  const controller = new AbortController();
  let answered = 0;
  let unanswered = 0;
  let sinceMs = startMs;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    // A slow schedule has long pauses in which nothing could be answered.
    const isPause = inFlight() === 0 && summary.unanswered === unanswered;
    if (summary.answered > answered || isPause) sinceMs = nowMs;
    answered = summary.answered;
    unanswered = summary.unanswered;
    if (phase.schedule.kind !== 'open' && nowMs - sinceMs > GIVE_UP_MS) controller.abort();
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
  const elapsedMs = performance.now() - startMs;
  const scheduledMs = schedule.kind === 'closed' ? 0 : Math.min(schedule.pacer.durationMs, elapsedMs);
  const result = summary.toPhase(startMs, scheduledMs);
  const durationMs = plannedMs(phase);
  return {
    pattern: phase.pattern,
    plan: {
      schedule: schedule.kind,
      requests: plannedRequests(phase) ?? null,
      durationSeconds: durationMs === undefined ? null : durationMs / 1000,
      connections,
      timeoutSeconds: timeoutMs / 1000,
      targets: phase.targets.map(({ method, path, count = null, weight = null }) => ({
        method,
        path,
        count,
        weight,
      })),
    },
    ...result,
    durationSeconds: elapsedMs / 1000,
    bytesRead: client.bytesRead,
    bytesWritten: client.bytesWritten,
    thresholds: phase.thresholds.map((text) => checkThreshold(text, toMeasured(result, summary.unsent))),
  };
}
