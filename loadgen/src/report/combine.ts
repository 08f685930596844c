/**
 * The report of a whole from those of its shards. Counts and histograms add up exactly; the time of the whole is that of
 * the longest. A shard that left no report, or did not end, is named: what it sent is in no number here.
 */
import { randomUUID } from 'node:crypto';
import { CheckError } from '../common/errors.ts';
import { sumNumbers } from '../load/numbers.ts';
import { isWhole, partOf, type Shard, WHOLE } from '../load/shard.ts';
import { checkThreshold, parseThreshold } from '../load/thresholds.ts';
import { type ExpectedCounts, sumExpectedCounts } from '../verify/expected-counts.ts';
import { earliest } from '../verify/snapshot.ts';
import { unverifiable, type Verification } from '../verify/verification.ts';
import type { LostShard, PhaseReport, Report } from './report.ts';

/**
 * @param whole what the parts are the parts of: itself a shard, where one machine ran several processes
 * @param lost parts of which it is known why they left no report; others that are missing are found
 * @param names of the parts, for a person
 * @throws CheckError when the reports are not parts of one run
 */
export function combine(
  parts: readonly Report[],
  whole: Shard = WHOLE,
  lost: readonly LostShard[] = [],
  names: readonly string[] = [],
): Report {
  const [first] = parts;
  if (first === undefined) throw new CheckError('combine: no shard has left a report');
  checkTogether(parts, names);
  const ended = parts.filter(({ state }) => state !== 'started');
  const unfinished = parts
    .filter(({ state }) => state === 'started')
    .map(({ shard }) => toLost(shard, 'did not end'));
  const known = [...lost, ...unfinished];
  const missing = shardsOf(whole, first.shard.of)
    .filter(
      (shard) => ![...parts.map((part) => part.shard), ...known].some((other) => other.index === shard.index),
    )
    .map((shard) => toLost(shard, 'left no report'));
  const befores = parts.flatMap(({ snapshots: { before } }) => before ?? []);
  return {
    ...first,
    id: randomUUID(),
    state:
      (['interrupted', 'gave-up'] as const).find((state) => ended.some((part) => part.state === state)) ??
      'finished',
    startedAt: parts.map((part) => part.startedAt).sort()[0] ?? first.startedAt,
    endedAt:
      ended
        .map((part) => part.endedAt)
        .sort()
        .at(-1) ?? null,
    shard: whole,
    lostShards: [...parts.flatMap((part) => part.lostShards), ...known, ...missing].sort(
      (a, b) => a.index - b.index,
    ),
    phases: combinePhases(ended, isWhole(whole)),
    expectedCounts: sumExpectedCounts(ended.map((part) => part.expectedCounts)),
    snapshots: { before: befores.length === parts.length ? earliest(befores) : null, after: null },
    verification: null,
    latency: null,
  };
}

/** What stands in the place of a verification where a shard is lost. */
export function withoutLost(
  expectedCounts: ExpectedCounts,
  lost: readonly LostShard[],
): Verification | undefined {
  if (lost.length === 0) return undefined;
  return unverifiable(
    expectedCounts,
    lost.map((shard) => `${formatLost(shard)}: what it sent is not known`),
  );
}

export function formatLost({ index, of, reason }: LostShard): string {
  return `shard ${index}/${of} ${reason}`;
}

function shardsOf(whole: Shard, of: number): Shard[] {
  const parts = of / whole.of;
  return Array.from({ length: parts }, (_, n) => partOf(whole, n + 1, parts));
}

function toLost({ index, of }: Shard, reason: string): LostShard {
  return { index, of, reason };
}

function checkTogether(parts: readonly Report[], names: readonly string[]): void {
  const [first] = parts;
  const mistakes = parts.flatMap((part, n) => {
    const name = `${names[n] ?? `report ${n + 1}`} (shard ${part.shard.index}/${part.shard.of} of ${part.startedAt})`;
    if (isWhole(part.shard)) return [`${name} is no shard: it was sent as a whole`];
    if (part.shard.of !== first?.shard.of) return [`${name}: expected a shard of ${first?.shard.of}`];
    if (part.target !== first.target)
      return [`${name}: expected the target ${first.target}, got ${part.target}`];
    if (part.seed !== first.seed) return [`${name}: expected the seed ${first.seed}, got ${part.seed}`];
    if (part.planId !== first.planId)
      return [`${name} was not sent by the same plan as ${names[0] ?? 'report 1'}: patterns or flags differ`];
    const twin = parts.findIndex(({ shard }) => shard.index === part.shard.index);
    return twin === n ? [] : [`${name} is there twice, as report ${twin + 1} too`];
  });
  if (mistakes.length > 0) throw new CheckError(`combine: ${mistakes.join('\n')}`);
}

/** Phase by phase; a shard that was stopped early has fewer. */
function combinePhases(parts: readonly Report[], judge: boolean): PhaseReport[] {
  const length = Math.max(0, ...parts.map(({ phases }) => phases.length));
  return Array.from({ length }, (_, n) =>
    combinePhase(
      parts.flatMap(({ phases }) => phases[n] ?? []),
      judge,
    ),
  );
}

function combinePhase(phases: readonly PhaseReport[], judge: boolean): PhaseReport {
  const [first] = phases;
  if (first === undefined) throw new RangeError('no phase of no shards');
  const numbers = sumNumbers(phases);
  const sum = (of: (phase: PhaseReport) => number) => phases.reduce((total, phase) => total + of(phase), 0);
  return {
    pattern: first.pattern,
    plan: first.plan,
    durationSeconds: Math.max(...phases.map((phase) => phase.durationSeconds)),
    bytesRead: sum((phase) => phase.bytesRead),
    rerouted: sum((phase) => phase.rerouted),
    bytesWritten: sum((phase) => phase.bytesWritten),
    ...numbers,
    thresholds: judge
      ? first.plan.thresholds.map((text) => checkThreshold(parseThreshold(text), numbers))
      : [],
  };
}
