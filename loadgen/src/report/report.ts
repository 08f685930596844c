/**
 * The machine-readable report of a run: `--json` writes it, the ledger stores it, and `verify`, `combine` and `report` read it. Its
 * JSON Schema (loadgen/report.schema.json) is generated from this file.
 */
import { z } from 'zod';
import { parseFile, readJson } from '../common/files.ts';
import { routeLabelsSchema } from '../common/route-labels.ts';
import { numbersSchema } from '../load/numbers.ts';
import { shardSchema } from '../load/shard.ts';
import { THRESHOLD_FORM, THRESHOLD_PATTERN, thresholdResultSchema } from '../load/thresholds.ts';
import { recordSchema } from '../verify/ledger.ts';
import { seriesSchema } from '../verify/series.ts';
import { verificationSchema } from '../verify/verification.ts';
import { latencySchema } from './latency.ts';

const count = z.int().min(0);

const planSchema = z
  .strictObject({
    schedule: z.enum(['open', 'queueing', 'closed']),
    requests: count.nullable().meta({ description: 'Null if the phase ends by time.' }),
    durationSeconds: z.number().nullable().meta({ description: 'Null if the phase ends by count.' }),
    connections: count,
    timeoutSeconds: z.number(),
    stages: z
      .array(
        z.strictObject({ durationSeconds: z.number(), fromPerSecond: z.number(), toPerSecond: z.number() }),
      )
      .meta({ description: 'The planned rate; none in a closed loop.' }),
    targets: z.array(
      z.strictObject({
        method: z.string(),
        path: z.string(),
        count: count.nullable(),
        weight: z.number().nullable(),
        expect: count.nullable(),
        series: routeLabelsSchema.nullable(),
      }),
    ),
    thresholds: z.array(z.string().regex(THRESHOLD_PATTERN, `expected ${THRESHOLD_FORM}`)),
  })
  .meta({ description: 'The plan of the whole run, also in the report of a shard.' });

const phaseSchema = z.strictObject({
  pattern: z.string(),
  plan: planSchema,
  durationSeconds: z.number(),
  bytesRead: count,
  bytesWritten: count,
  rerouted: count.default(0).meta({
    description: 'Requests whose connection was refused and that were sent to another address of the name.',
  }),
  ...numbersSchema.shape,
  thresholds: z
    .array(thresholdResultSchema)
    .meta({ description: 'Empty for a shard, which has only a part of the numbers.' }),
});

const lostShardSchema = z.strictObject({ ...shardSchema.shape, reason: z.string() });

const probeSchema = z.strictObject({
  name: z.string(),
  statuses: z
    .array(count)
    .meta({ description: 'The statuses of the responses; none for an aborted request.' }),
  counted: z
    .array(z.strictObject({ ...seriesSchema.shape, count: z.number() }))
    .meta({ description: 'The series that increased, of the counter of all requests.' }),
  verification: verificationSchema,
});

const environmentSchema = z.strictObject({
  arguments: z.array(z.string()).meta({ description: 'The command line.' }),
  node: z.string(),
  system: z.string(),
  processors: z.string(),
});

export const reportSchema = z
  .strictObject({
    ...recordSchema.shape,
    endedAt: z.iso.datetime().nullable(),
    target: z.string(),
    prometheus: z.string().nullable(),
    seed: z.number(),
    planId: z.string().meta({
      description:
        'The same for all shards of one run: derived from target, seed, number of shards and patterns.',
    }),
    shard: shardSchema.meta({ description: '1 of 1 is a whole run.' }),
    lostShards: z.array(lostShardSchema).meta({ description: 'Shards whose numbers are missing here.' }),
    environment: environmentSchema,
    phases: z.array(phaseSchema),
    verification: verificationSchema.nullable(),
    probes: z
      .array(probeSchema)
      .optional()
      .meta({ description: 'Each was sent and verified separately, after the load.' }),
    latency: latencySchema.nullable().meta({ description: 'Null without Prometheus.' }),
  })
  .meta({ title: 'Report of a run of exact-load' });

export function toJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** @throws UsageError or CheckError with the file and the location of every error */
export async function readReport(path: string): Promise<Report> {
  return parseFile(path, reportSchema, await readJson(path));
}

export type Report = z.output<typeof reportSchema>;
export type PhaseReport = Report['phases'][number];
export type PhasePlan = z.output<typeof planSchema>;
export type LostShard = z.output<typeof lostShardSchema>;
export type ProbeResult = z.output<typeof probeSchema>;
export type Environment = z.output<typeof environmentSchema>;
