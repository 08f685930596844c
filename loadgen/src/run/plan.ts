/** Plans the phases of a run from patterns and flags. All randomness comes from the seed. */
import { createHash } from 'node:crypto';
import { UsageError } from '../common/errors.ts';
import { sumOf } from '../common/sums.ts';
import type { Schedule } from '../load/attacker.ts';
import { constantPacer, type Stage, stagedPacer } from '../load/pacer.ts';
import { hexAt } from '../load/random.ts';
import { type Shard, shardSchedule, shardTargeter, shareOf, WHOLE } from '../load/shard.ts';
import { exactTargeter, type Targeter, weightedTargeter } from '../load/targeter.ts';
import { parseThreshold, type Threshold } from '../load/thresholds.ts';
import type { Pattern, Target } from '../pattern/pattern.ts';
import type { PhasePlan } from '../report/report.ts';

/** The part of a pattern that one process sends: the whole pattern, or a shard. */
export interface Phase {
  readonly pattern: string;
  /** The plan of the whole run, for the report. */
  readonly plan: PhasePlan;
  readonly shard: Shard;
  readonly targets: readonly Target[];
  readonly targeter: Targeter;
  readonly schedule: Schedule;
  readonly connections: number;
  readonly timeoutMs: number;
  readonly thresholds: readonly Threshold[];
  /** Maps the number of a request to the second half of its trace id; undefined without trace ids. */
  readonly traceHalf: ((n: number) => string) | undefined;
}

/** The properties of a pattern that flags can override. */
export interface Overrides {
  readonly ratePerSecond?: number | 'max' | undefined;
  readonly durationMs?: number | undefined;
  readonly connections?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly thresholds: readonly Threshold[];
  readonly seed: number;
  /** Whether each request has a `traceparent`. */
  readonly trace?: boolean | undefined;
}

/** For exact patterns and the closed loop. This is autocannon's default, enough to saturate a server on one core. */
const CLOSED_CONNECTIONS = 10;
/**
 * In the open model, connections are only an upper limit: the number of requests that are due in half a second, so that a pause of
 * that length on this machine drops no request. More than 1000 would exceed the usual limit on open files.
 */
const OPEN_CONNECTIONS = { least: 100, most: 1000, seconds: 0.5 };
const DEFAULT_TIMEOUT_MS = 10_000;

/** @throws UsageError if a flag does not apply to the pattern */
export function planPhase(name: string, pattern: Pattern, overrides: Overrides, shard: Shard = WHOLE): Phase {
  const isExact = pattern.stages === undefined;
  if (isExact && overrides.durationMs !== undefined)
    throw new UsageError(
      `--duration: expected only with a rate pattern, got "${name}", which sends an exact number of requests`,
    );
  const { schedule, stages } = isExact ? exactSchedule(pattern, overrides) : rateSchedule(pattern, overrides);
  const connections = overrides.connections ?? pattern.connections ?? defaultConnections(schedule, stages);
  if (connections < shard.of)
    throw new UsageError(
      `--connections: expected at least one per shard, got ${connections} for the ${shard.of} shards of "${name}"`,
    );
  const timeoutMs = overrides.timeoutMs ?? pattern.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const thresholds = withDefault([...pattern.thresholds, ...overrides.thresholds]);
  const durationMs = plannedMs({ schedule });
  return {
    pattern: name,
    plan: {
      schedule: schedule.kind,
      requests: plannedRequests({ schedule }) ?? null,
      durationSeconds: durationMs === undefined ? null : durationMs / 1000,
      connections,
      timeoutSeconds: timeoutMs / 1000,
      stages: stages.map(({ durationMs: ms, ...rates }) => ({ durationSeconds: ms / 1000, ...rates })),
      targets: pattern.targets.map(describeTarget),
      thresholds: thresholds.map(({ text }) => text),
    },
    shard,
    targets: pattern.targets,
    targeter: shardTargeter(createTargeter(pattern, overrides.seed), shard),
    schedule: shardSchedule(schedule, shard),
    connections: shareOf(connections, shard),
    timeoutMs,
    thresholds,
    traceHalf: overrides.trace ? (n) => hexAt(overrides.seed, n) : undefined,
  };
}

/** Identifies the shards of one run: all of them have the same id, and other runs have different ids. */
export function planIdOf(target: string, seed: number, shards: number, phases: readonly Phase[]): string {
  const patterns = phases.map(({ pattern, plan, targets }) => ({ pattern, plan, targets }));
  return createHash('sha256').update(JSON.stringify({ target, seed, shards, patterns })).digest('hex');
}

function createTargeter({ stages, targets }: Pattern, seed: number): Targeter {
  const counts = targets.map(({ count }) => count ?? 0);
  const weights = targets.map(({ weight }) => weight ?? 1);
  return stages === undefined ? exactTargeter(counts, seed) : weightedTargeter(weights, seed);
}

function describeTarget({
  method,
  path,
  count,
  weight,
  expect,
  series,
}: Target): PhasePlan['targets'][number] {
  const optional = { count: count ?? null, weight: weight ?? null, expect: expect ?? null };
  return { method, path, ...optional, series: series ?? null };
}

/**
 * By default every request must get a response, unless a threshold defines how many may fail. The user decides which statuses are
 * errors.
 */
function withDefault(thresholds: Threshold[]): Threshold[] {
  return thresholds.some(({ metric }) => metric === 'errors' || metric === 'unanswered')
    ? thresholds
    : [...thresholds, parseThreshold('unanswered=0')];
}

/** The total number of requests of a phase; undefined for a closed loop that ends by time. */
export function plannedRequests({ schedule }: Pick<Phase, 'schedule'>): number | undefined {
  if (schedule.kind !== 'closed') return schedule.pacer.count;
  return Number.isFinite(schedule.count) ? schedule.count : undefined;
}

/** The planned duration of a phase in ms; undefined if it ends by count. */
export function plannedMs({ schedule }: Pick<Phase, 'schedule'>): number | undefined {
  if (schedule.kind !== 'closed') return schedule.pacer.durationMs;
  return Number.isFinite(schedule.durationMs) ? schedule.durationMs : undefined;
}

interface Planned {
  readonly schedule: Schedule;
  /** The planned rate; empty in a closed loop. */
  readonly stages: readonly Stage[];
}

function exactSchedule({ targets }: Pattern, { ratePerSecond = 'max' }: Overrides): Planned {
  const count = sumOf(targets, (target) => target.count ?? 0);
  if (ratePerSecond === 'max') return closedLoop(count, Number.POSITIVE_INFINITY);
  const pacer = constantPacer(count, ratePerSecond);
  const { durationMs } = pacer;
  const stage = { durationMs, fromPerSecond: ratePerSecond, toPerSecond: ratePerSecond };
  return { schedule: { kind: 'queueing', pacer }, stages: [stage] };
}

/** `--rate` sets the highest rate and `--duration` the total length; the shape of the pattern is unchanged. */
function rateSchedule({ stages = [] }: Pattern, { ratePerSecond, durationMs }: Overrides): Planned {
  const total = sumOf(stages, (stage) => stage.durationMs);
  if (ratePerSecond === 'max') return closedLoop(Number.POSITIVE_INFINITY, durationMs ?? total);
  const faster = ratePerSecond === undefined ? 1 : ratePerSecond / peakOf(stages);
  const longer = durationMs === undefined ? 1 : durationMs / total;
  const scaled = stages.map((stage) => ({
    durationMs: stage.durationMs * longer,
    fromPerSecond: stage.fromPerSecond * faster,
    toPerSecond: stage.toPerSecond * faster,
  }));
  return { schedule: { kind: 'open', pacer: stagedPacer(scaled) }, stages: scaled };
}

function closedLoop(count: number, durationMs: number): Planned {
  return { schedule: { kind: 'closed', count, durationMs }, stages: [] };
}

function defaultConnections({ kind }: Schedule, stages: readonly Stage[]): number {
  if (kind !== 'open') return CLOSED_CONNECTIONS;
  const { least, most, seconds } = OPEN_CONNECTIONS;
  return Math.min(most, Math.max(least, Math.ceil(peakOf(stages) * seconds)));
}

function peakOf(stages: readonly Stage[]): number {
  return stages.reduce((peak, stage) => Math.max(peak, stage.fromPerSecond, stage.toPerSecond), 0);
}
