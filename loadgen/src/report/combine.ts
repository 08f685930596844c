/**
 * Combines the numbers of shards. Counts and histograms add up exactly; the duration is that of the longest shard. Shards that have
 * no report or did not finish are listed: their requests are missing from all numbers.
 */
import { randomUUID } from 'node:crypto';
import { CheckError } from '../common/errors.ts';
import { sumExpectedCounts } from '../common/expected-counts.ts';
import { sumOf } from '../common/sums.ts';
import { sumNumbers } from '../load/numbers.ts';
import { isWhole, type Shard, WHOLE } from '../load/shard.ts';
import { checkThreshold, parseThreshold } from '../load/thresholds.ts';
import { earliest } from '../verify/snapshot.ts';
import type { LostShard, PhaseReport, Report } from './report.ts';

/** The part of a report about the requests that were sent, by one process or several. */
export type Sent = Pick<Report, 'state' | 'endedAt' | 'phases' | 'expectedCounts' | 'lostShards'>;

/**
 * @param lost shards whose numbers are missing
 * @param isAll whether the parts form a whole run, to which thresholds apply
 */
export function sumSent(parts: readonly Sent[], lost: readonly LostShard[], isAll: boolean): Sent {
  const phases = Math.max(0, ...parts.map((part) => part.phases.length));
  return {
    state: parts.some(({ state }) => state === 'interrupted') ? 'interrupted' : 'finished',
    endedAt: parts.map((part) => part.endedAt).reduce((a, b) => ((a ?? '') > (b ?? '') ? a : b), null),
    lostShards: [...parts.flatMap((part) => part.lostShards), ...lost].sort((a, b) => a.index - b.index),
    // A shard that stopped early has fewer phases.
    phases: Array.from({ length: phases }, (_, n) =>
      sumPhases(
        parts.flatMap((part) => part.phases[n] ?? []),
        isAll,
      ),
    ),
    expectedCounts: sumExpectedCounts(parts.map((part) => part.expectedCounts)),
  };
}

/**
 * @param reports the reports of the shards of one run
 * @param names the names of the reports, for messages
 * @throws CheckError if they are not shards of one run
 */
export function combine(reports: readonly Report[], names: readonly string[]): Report {
  const [first] = reports;
  if (first === undefined)
    throw new CheckError('combine: expected the report of at least one shard, got none');
  checkTogether(reports, first, names);
  const ended = reports.filter(({ state }) => state !== 'started');
  const { of } = first.shard;
  const lost = Array.from({ length: of }, (_, n) => n + 1).flatMap((index): LostShard[] => {
    const report = reports.find(({ shard }) => shard.index === index);
    if (report === undefined) return [{ index, of, reason: 'left no report' }];
    return report.state === 'started' ? [{ index, of, reason: 'did not finish' }] : [];
  });
  const befores = reports.flatMap(({ snapshots: { before } }) => before ?? []);
  return {
    ...first,
    ...sumSent(ended, lost, true),
    id: randomUUID(),
    startedAt: reports.map((report) => report.startedAt).sort()[0] ?? first.startedAt,
    shard: WHOLE,
    metrics:
      reports.map(({ metrics }) => metrics).find((metrics) => metrics?.counters.length) ?? first.metrics,
    snapshots: { before: befores.length === reports.length ? earliest(befores) : null, after: null },
    verification: null,
    latency: null,
  };
}

export function formatShard({ index, of }: Shard): string {
  return `shard ${index}/${of}`;
}

export function formatLost(lost: LostShard): string {
  return `${formatShard(lost)} ${lost.reason}`;
}

export function describeLost({ lostShards }: Report): string[] {
  return lostShards.map((lost) => `${formatLost(lost)}: its requests are missing from these numbers`);
}

function checkTogether(reports: readonly Report[], first: Report, names: readonly string[]): void {
  const mistakes = reports.flatMap((report, n) => {
    const { shard, startedAt, planId } = report;
    const name = `${names[n]} (${formatShard(shard)} of ${startedAt})`;
    if (isWhole(shard)) return [`${name} is not a shard but a whole run`];
    if (planId !== first.planId)
      return [
        `${name} has another plan than ${names[0]}: target, seed, number of shards, patterns or flags differ`,
      ];
    const twin = reports.findIndex((other) => other.shard.index === shard.index);
    return twin === n ? [] : [`${name} is given twice: report ${twin + 1} is the same shard`];
  });
  if (mistakes.length > 0) throw new CheckError(`combine: ${mistakes.join('\n')}`);
}

function sumPhases(phases: readonly PhaseReport[], isAll: boolean): PhaseReport {
  const [{ pattern, plan }] = phases as [PhaseReport];
  const numbers = sumNumbers(phases);
  return {
    pattern,
    plan,
    durationSeconds: Math.max(...phases.map((phase) => phase.durationSeconds)),
    bytesRead: sumOf(phases, ({ bytesRead }) => bytesRead),
    rerouted: sumOf(phases, ({ rerouted }) => rerouted),
    bytesWritten: sumOf(phases, ({ bytesWritten }) => bytesWritten),
    ...numbers,
    thresholds: isAll ? plan.thresholds.map((text) => checkThreshold(parseThreshold(text), numbers)) : [],
  };
}
