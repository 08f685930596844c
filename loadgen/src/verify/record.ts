/** What the ledger keeps, as far as `verify` reads it: the record of a run, and the mark from which it counts. */
import { z } from 'zod';
import { expectedCountsSchema } from './expected-counts.ts';
import { snapshotSchema } from './process.ts';

export const RECORD_VERSION = 4;

/** A run's report holds this, whatever else it or another version of the generator has put into it. */
export const recordSchema = z.object({
  kind: z.literal('loadgen-run'),
  version: z.literal(RECORD_VERSION),
  id: z.uuid(),
  state: z.enum(['started', 'finished', 'interrupted', 'gave-up']),
  startedAt: z.iso.datetime(),
  expectedCounts: expectedCountsSchema,
  snapshots: z.strictObject({ before: snapshotSchema.nullable(), after: snapshotSchema.nullable() }),
});

/** A mark after which what was counted before no longer matters. */
export const rebaseSchema = z.strictObject({
  kind: z.literal('loadgen-rebase'),
  version: z.literal(RECORD_VERSION),
  id: z.uuid(),
  startedAt: z.iso.datetime(),
  snapshot: snapshotSchema,
});

export type RunRecord = z.output<typeof recordSchema>;
export type Rebase = z.output<typeof rebaseSchema>;
export type Entry = RunRecord | Rebase;
