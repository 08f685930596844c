/** Complete plans and reports for tests, with the properties that a test overrides. */
import { createHistogram, encodeHistogram, record } from '../src/load/histogram.ts';
import { WHOLE } from '../src/load/shard.ts';
import { PATTERNS } from '../src/pattern/built-in.ts';
import { patternSchema } from '../src/pattern/pattern.ts';
import type { PhaseReport, Report } from '../src/report/report.ts';
import { type Overrides, type Phase, planPhase } from '../src/run/plan.ts';
import { RECORD_VERSION } from '../src/verify/ledger.ts';

export function planOf(name: string, overrides: Partial<Overrides> = {}, shard = WHOLE): Phase {
  const pattern = patternSchema.parse(PATTERNS[name]);
  return planPhase(name, pattern, { thresholds: [], seed: 1, ...overrides }, shard);
}

export function histogramOf(...durationsMs: number[]): string {
  const histogram = createHistogram(3);
  for (const durationMs of durationsMs) record(histogram, durationMs);
  return encodeHistogram(histogram);
}

export function phaseOf(name: string, overrides: Partial<PhaseReport> = {}): PhaseReport {
  const distribution = { mean: 2, p50: 2, p90: 3, p95: 3, p99: 3, 'p99.9': 3, max: 3 };
  const some = histogramOf(1, 2, 3);
  return {
    pattern: name,
    plan: planOf(name).plan,
    ...{ durationSeconds: 60, sendingSeconds: 60, achievedPerSecond: 50, bytesRead: 1, bytesWritten: 1 },
    ...{ sent: 3, unsent: 0, answered: 3, dropped: 0, errors: 0, unanswered: 0, rerouted: 0 },
    ...{ statuses: { 200: 3 }, failures: {}, byTarget: [], slowest: [] },
    ...{ latencyMs: distribution, serviceTimeMs: distribution, latenessMs: distribution },
    histograms: { latency: some, serviceTime: some, lateness: histogramOf(0) },
    timeline: { intervalSeconds: 1, points: [] },
    thresholds: [{ threshold: 'p99<250ms', ok: true, measured: '3ms' }],
    ...overrides,
  };
}

export function reportOf(phases: PhaseReport[], overrides: Partial<Report> = {}): Report {
  return {
    kind: 'loadgen-run',
    version: RECORD_VERSION,
    id: '6f1c8a52-6a0b-4c53-9a3e-0d3f6f0f5a11',
    state: 'finished',
    startedAt: '2027-01-31T12:00:00.000Z',
    endedAt: '2027-01-31T12:01:00.000Z',
    target: 'http://api:5001',
    prometheus: null,
    seed: 1,
    planId: 'a1',
    shard: WHOLE,
    lostShards: [],
    environment: { arguments: ['run', 'it'], node: '24', system: 'Linux', processors: '2' },
    phases,
    metrics: null,
    expectedCounts: [],
    snapshots: { before: null, after: null },
    verification: null,
    latency: null,
    ...overrides,
  };
}
