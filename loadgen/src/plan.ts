/** From patterns and flags to what will be sent: a row of phases. Everything random in it comes from the seed. */
import type { Schedule } from './attacker.ts';
import { UsageError } from './errors.ts';
import { constantPacer, type Stage, stagedPacer } from './pacer.ts';
import type { Pattern, Target } from './pattern.ts';
import { exactTargeter, type Targeter, weightedTargeter } from './targeter.ts';
import { parseDurationMs } from './units.ts';

export interface Phase {
  readonly pattern: string;
  readonly targets: readonly Target[];
  readonly targeter: Targeter;
  readonly schedule: Schedule;
  readonly connections: number;
  readonly timeoutMs: number;
  readonly thresholds: readonly string[];
}

/** What the flags may change about a pattern. */
export interface Overrides {
  readonly ratePerSecond?: number | 'max' | undefined;
  readonly durationMs?: number | undefined;
  readonly connections?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly thresholds: readonly string[];
  readonly seed: number;
}

/** For exact patterns and the closed loop: autocannon's default, enough to fill a server on one core. */
const CLOSED_CONNECTIONS = 10;
/**
 * In the open model connections are only a bound: half a second's worth of requests. A pause of this machine makes
 * that many due at once without losing one; more than 1000 would meet the usual limit on open files.
 */
const OPEN_CONNECTIONS = { least: 100, most: 1000, seconds: 0.5 };
const DEFAULT_TIMEOUT_MS = 10_000;

/** @throws UsageError for a flag that makes no sense with the pattern */
export function planPhase(name: string, pattern: Pattern, overrides: Overrides): Phase {
  const exact = pattern.stages === undefined;
  if (exact && overrides.durationMs !== undefined) {
    throw new UsageError(
      `--duration: "${name}" sends an exact number of requests; it ends when they are sent`,
    );
  }
  const stages = toStages(pattern, overrides);
  const schedule = exact ? exactSchedule(countOf(pattern), overrides) : rateSchedule(stages, overrides);
  return {
    pattern: name,
    targets: pattern.targets,
    targeter: exact
      ? exactTargeter(
          pattern.targets.map(({ count }) => count ?? 0),
          overrides.seed,
        )
      : weightedTargeter(
          pattern.targets.map(({ weight }) => weight ?? 1),
          overrides.seed,
        ),
    schedule,
    connections: overrides.connections ?? pattern.connections ?? defaultConnections(schedule, stages),
    timeoutMs: overrides.timeoutMs ?? parseDurationMs(pattern.timeout ?? '') ?? DEFAULT_TIMEOUT_MS,
    thresholds: withDefault([...pattern.thresholds, ...overrides.thresholds]),
  };
}

/** Unless a threshold says how many may fail, every request has to be answered. Which statuses are errors is a matter of taste. */
function withDefault(thresholds: string[]): string[] {
  return thresholds.some((text) => /^(errors|unanswered)/.test(text))
    ? thresholds
    : [...thresholds, 'unanswered=0'];
}

/** How many requests a phase will have sent at its end; undefined for a closed loop that ends by time. */
export function plannedRequests({ schedule }: Phase): number | undefined {
  if (schedule.kind !== 'closed') return schedule.pacer.count;
  return Number.isFinite(schedule.count) ? schedule.count : undefined;
}

/** How long a phase is meant to take in ms; undefined where it ends by count. */
export function plannedMs({ schedule }: Phase): number | undefined {
  if (schedule.kind !== 'closed') return schedule.pacer.durationMs;
  return Number.isFinite(schedule.durationMs) ? schedule.durationMs : undefined;
}

function countOf({ targets }: Pattern): number {
  return targets.reduce((sum, { count }) => sum + (count ?? 0), 0);
}

function exactSchedule(count: number, { ratePerSecond = 'max' }: Overrides): Schedule {
  return ratePerSecond === 'max'
    ? { kind: 'closed', count, durationMs: Number.POSITIVE_INFINITY }
    : { kind: 'patient', pacer: constantPacer(count, ratePerSecond) };
}

function rateSchedule(stages: readonly Stage[], { ratePerSecond }: Overrides): Schedule {
  const durationMs = stages.reduce((sum, stage) => sum + stage.durationMs, 0);
  return ratePerSecond === 'max'
    ? { kind: 'closed', count: Number.POSITIVE_INFINITY, durationMs }
    : { kind: 'open', pacer: stagedPacer(stages) };
}

function defaultConnections({ kind }: Schedule, stages: readonly Stage[]): number {
  if (kind !== 'open') return CLOSED_CONNECTIONS;
  const { least, most, seconds } = OPEN_CONNECTIONS;
  return Math.min(most, Math.max(least, Math.ceil(peakOf(stages) * seconds)));
}

function peakOf(stages: readonly Stage[]): number {
  return Math.max(...stages.flatMap(({ fromPerSecond, toPerSecond }) => [fromPerSecond, toPerSecond]));
}

/** `--rate` sets the highest rate, `--duration` the whole length; the shape of the pattern stays. */
function toStages({ stages = [] }: Pattern, { ratePerSecond, durationMs }: Overrides): Stage[] {
  const plain = stages.map(({ duration, rate }) => ({
    durationMs: parseDurationMs(duration) ?? 0,
    fromPerSecond: typeof rate === 'number' ? rate : rate.from,
    toPerSecond: typeof rate === 'number' ? rate : rate.to,
  }));
  const total = plain.reduce((sum, stage) => sum + stage.durationMs, 0);
  const faster = typeof ratePerSecond === 'number' ? ratePerSecond / peakOf(plain) : 1;
  const longer = durationMs === undefined ? 1 : durationMs / total;
  return plain.map((stage) => ({
    durationMs: stage.durationMs * longer,
    fromPerSecond: stage.fromPerSecond * faster,
    toPerSecond: stage.toPerSecond * faster,
  }));
}
