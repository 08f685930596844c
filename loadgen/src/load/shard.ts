/**
 * Parts of one schedule. Request k belongs to shard k mod n and keeps its time and its target, so that all parts together form the
 * whole schedule, whichever process sends them (k6 calls this execution segments).
 */
import { z } from 'zod';
import type { Schedule } from './attacker.ts';
import type { Pacer } from './pacer.ts';
import type { Targeter } from './targeter.ts';

export const MOST_SHARDS = 1000;

export const shardSchema = z.strictObject({
  index: z.int().min(1).max(MOST_SHARDS).meta({ description: 'From 1.' }),
  of: z.int().min(1).max(MOST_SHARDS),
});
export type Shard = z.output<typeof shardSchema>;

export const WHOLE: Shard = { index: 1, of: 1 };

export function isWhole({ of }: Shard): boolean {
  return of === 1;
}

/** The number of items, among `count` items numbered from 0, that belong to a shard. */
export function shareOf(count: number, { index, of }: Shard): number {
  return Math.max(0, Math.ceil((count - (index - 1)) / of));
}

/** The n-th of `parts` parts (from 1) of a shard, as a shard of the whole. */
export function partOf({ index, of }: Shard, n: number, parts: number): Shard {
  return { index: index + of * (n - 1), of: of * parts };
}

export function shardTargeter(targeter: Targeter, { index, of }: Shard): Targeter {
  return (n) => targeter(index - 1 + n * of);
}

export function shardSchedule(schedule: Schedule, shard: Shard): Schedule {
  if (schedule.kind === 'closed') return { ...schedule, count: shareOf(schedule.count, shard) };
  return { ...schedule, pacer: shardPacer(schedule.pacer, shard) };
}

function shardPacer(pacer: Pacer, shard: Shard): Pacer {
  const { index, of } = shard;
  return {
    count: shareOf(pacer.count, shard),
    durationMs: pacer.durationMs,
    offsetMs: (n) => pacer.offsetMs(index - 1 + n * of),
    ratePerSecondAt: (offsetMs) => pacer.ratePerSecondAt(offsetMs) / of,
  };
}
