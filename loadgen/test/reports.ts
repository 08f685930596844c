/** Plans and reports for the tests, which say only what is different in theirs. */
import { WHOLE } from '../src/load/shard.ts';
import { PATTERNS } from '../src/pattern/built-in.ts';
import { patternSchema } from '../src/pattern/pattern.ts';
import type { Report } from '../src/report/report.ts';
import { type Overrides, planPhase } from '../src/run/plan.ts';

/** A built-in pattern with flags. */
export function planOf(name: string, overrides: Partial<Overrides> = {}, shard = WHOLE) {
  const pattern = patternSchema.parse(PATTERNS[name]);
  return planPhase(name, pattern, { thresholds: [], seed: 1, ...overrides }, shard);
}

export function reportOf(overrides: Partial<Report> = {}): Report {
  return {
    kind: 'loadgen-run',
    version: 4,
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
    latency: null,
    environment: { arguments: [], node: '24', system: 'Linux', processors: '2' },
    phases: [],
    expectedCounts: [],
    snapshots: { before: null, after: null },
    verification: null,
    ...overrides,
  };
}
