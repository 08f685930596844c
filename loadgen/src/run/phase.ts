/** One phase of a run sends one pattern. It connects schedule, client and summary, which do not depend on each other. */
import { randomBytes } from 'node:crypto';
import type { ExpectedCount } from '../common/expected-counts.ts';
import type { Addresses } from '../http/addresses.ts';
import { HttpClient } from '../http/client.ts';
import type { Origin } from '../http/origin.ts';
import { encodeRequest, type RequestParts } from '../http/request.ts';
import { attack, systemClock } from '../load/attacker.ts';
import { isWhole } from '../load/shard.ts';
import { Summary } from '../load/summary.ts';
import { checkThreshold } from '../load/thresholds.ts';
import type { Target } from '../pattern/pattern.ts';
import type { PhaseReport } from '../report/report.ts';
import { type Phase, plannedMs } from './plan.ts';
import { createProgress, type SenderObserver } from './progress.ts';
import { withJsonType } from './url-pattern.ts';

export interface PhaseOptions {
  readonly origin: Origin;
  readonly addresses: Addresses;
  readonly observer: SenderObserver;
  /** The start of the schedule; may be in the past. */
  readonly startMs: number;
  /** Stops sending; requests in flight are still awaited. */
  readonly signal: AbortSignal;
}

export interface PhaseOutcome {
  readonly report: PhaseReport;
  readonly expectedCounts: ExpectedCount[];
}

/** Sends one phase. Opens connections for it and closes them. */
export async function runPhase(
  phase: Phase,
  { origin, addresses, observer, startMs, signal }: PhaseOptions,
): Promise<PhaseOutcome> {
  const summary = new Summary({ startMs, plannedMs: plannedMs(phase), targets: phase.targets });
  const nextTraceId = phase.traceHalf && createTraceIds(phase.traceHalf);
  const isTraced = nextTraceId !== undefined;
  const requests = phase.targets.map((target) => encodeRequest(origin, toRequestParts(target), isTraced));
  const client = new HttpClient({ ...phase, origin, addresses, requests, recorder: summary, nextTraceId });
  observer.phaseStarted(
    createProgress(phase, startMs, () => ({ ...summary.live(), inFlight: client.inFlight })),
  );
  try {
    await attack({ ...phase, client, recorder: summary, clock: systemClock, startMs, signal });
  } finally {
    client.close();
    observer.phaseEnded();
  }
  return {
    report: reportPhase(phase, summary, startMs, client),
    expectedCounts: summary.bySeries(),
  };
}

/** The seed determines one half. The other half is random in each phase, so that two runs or two shards never share a trace id. */
function createTraceIds(halfOf: (n: number) => string): () => string {
  const own = randomBytes(8).toString('hex');
  let n = 0;
  return () => own + halfOf(n++);
}

function toRequestParts({ method, path, headers, body }: Target): RequestParts {
  if (body === undefined || typeof body === 'string') return { method, path, headers, body };
  return { method, path, headers: withJsonType(headers), body: JSON.stringify(body) };
}

function reportPhase(phase: Phase, summary: Summary, startMs: number, client: HttpClient): PhaseReport {
  const { pattern, plan, schedule, shard, thresholds } = phase;
  const elapsedMs = performance.now() - startMs;
  const numbers = summary.toNumbers(
    schedule.kind === 'closed' ? 0 : Math.min(schedule.pacer.durationMs, elapsedMs),
  );
  return {
    pattern,
    plan,
    durationSeconds: elapsedMs / 1000,
    bytesRead: client.bytesRead,
    rerouted: client.rerouted,
    bytesWritten: client.bytesWritten,
    ...numbers,
    thresholds: isWhole(shard) ? thresholds.map((threshold) => checkThreshold(threshold, numbers)) : [],
  };
}
