/**
 * The machine-readable report of a run: what `--json` writes, what the ledger folder keeps, and what `verify` reads back.
 * Its JSON Schema (loadgen/report.schema.json) is made from this.
 */
import { z } from 'zod';
import { FAILURE_KINDS } from './result.ts';

const count = z.int().min(0);
const distribution = z
  .strictObject({
    mean: z.number(),
    p50: z.number(),
    p90: z.number(),
    p95: z.number(),
    p99: z.number(),
    'p99.9': z.number(),
    max: z.number(),
  })
  .nullable();

const ledgerEntry = z.strictObject({
  series: z.strictObject({ path: z.string(), method: z.string() }).nullable(),
  answered: z.record(z.string().regex(/^\d{3}$/), count).meta({ description: 'Complete answers by status.' }),
  unknown: count.meta({ description: 'Sent, no complete answer: counted once or not at all.' }),
  notSent: count.meta({ description: 'Never left this machine.' }),
});

export const readingSchema = z
  .strictObject({
    askedAtSeconds: z.number(),
    instances: z.array(
      z.strictObject({
        instance: z.string(),
        startTimeSeconds: z.number(),
        scrapedAtSeconds: z.number(),
        values: z.record(z.string(), z.number()),
      }),
    ),
  })
  .meta({ description: "Raw counter values per instance, and the moment on Prometheus' clock." });

const phase = z.strictObject({
  pattern: z.string(),
  plan: z.strictObject({
    schedule: z.enum(['open', 'patient', 'closed']),
    requests: count.nullable().meta({ description: 'Null where the phase ends by time.' }),
    durationSeconds: z.number().nullable().meta({ description: 'Null where the phase ends by count.' }),
    connections: count,
    timeoutSeconds: z.number(),
    targets: z.array(
      z.strictObject({
        method: z.string(),
        path: z.string(),
        count: count.nullable(),
        weight: z.number().nullable(),
      }),
    ),
  }),
  durationSeconds: z.number(),
  sent: count,
  answered: count,
  dropped: count,
  errors: count.meta({ description: 'Unexpected statuses and requests without an answer.' }),
  unanswered: count,
  statuses: z.record(z.string(), count),
  failures: z.partialRecord(z.enum(FAILURE_KINDS), count),
  achievedPerSecond: z.number(),
  bytesRead: count,
  bytesWritten: count,
  latencyMs: distribution.meta({ description: 'From the intended start to the end of the answer.' }),
  serviceTimeMs: distribution.meta({ description: 'From the send to the end of the answer.' }),
  latenessMs: distribution.meta({ description: 'From the intended start to the send.' }),
  thresholds: z.array(z.strictObject({ threshold: z.string(), ok: z.boolean(), measured: z.string() })),
});

const proof = z.strictObject({
  verdict: z.enum(['proved', 'inconclusive', 'failed', 'impossible']),
  answered: count,
  unknown: count,
  rows: z.array(
    z.strictObject({
      series: z.string(),
      atLeast: count,
      atMost: count,
      counted: z.number(),
      difference: z.number(),
    }),
  ),
  obstacles: z.array(z.string()),
});

export const reportSchema = z
  .strictObject({
    kind: z.literal('loadgen-run'),
    version: z.literal(1),
    id: z.uuid(),
    state: z.enum(['started', 'finished', 'interrupted', 'gave-up']),
    startedAt: z.iso.datetime(),
    endedAt: z.iso.datetime().nullable(),
    target: z.string(),
    prometheus: z.string().nullable(),
    seed: z.number(),
    phases: z.array(phase),
    ledger: z.array(ledgerEntry),
    readings: z.strictObject({ before: readingSchema.nullable(), after: readingSchema.nullable() }),
    proof: proof.nullable(),
  })
  .meta({ title: 'Report of a run of loadgen' });

/** What `verify` needs of a report, whatever else this or another version of the generator has put into it. */
export const recordSchema = z.object(
  reportSchema.pick({
    kind: true,
    version: true,
    id: true,
    state: true,
    startedAt: true,
    ledger: true,
    readings: true,
  }).shape,
);

/** A mark from which the ledger begins anew: what was counted before it is nobody's business any more. */
export const rebaseSchema = z.strictObject({
  kind: z.literal('loadgen-rebase'),
  version: z.literal(1),
  id: z.uuid(),
  startedAt: z.iso.datetime(),
  reading: readingSchema,
});

export type Report = z.output<typeof reportSchema>;
export type RunRecord = z.output<typeof recordSchema>;
export type Rebase = z.output<typeof rebaseSchema>;
export type PhaseReport = Report['phases'][number];
