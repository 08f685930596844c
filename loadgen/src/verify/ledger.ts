/**
 * The ledger: a folder with the report of every run, one file per run, so that `verify` can add them up. Reads only the parts of a
 * report that the verification needs and ignores all other parts, including those of other versions.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CheckError, failAs, UsageError } from '../common/errors.ts';
import { expectedCountsSchema } from '../common/expected-counts.ts';
import { checkWritable, parseFile, readJson } from '../common/files.ts';
import { type Metrics, metricsSchema } from '../common/metrics.ts';
import { type Snapshot, snapshotSchema } from './process.ts';

export const RECORD_VERSION = 5;

export const recordSchema = z.object({
  kind: z.literal('loadgen-run'),
  version: z.literal(RECORD_VERSION),
  id: z.uuid(),
  state: z.enum(['started', 'finished', 'interrupted']),
  startedAt: z.iso.datetime(),
  metrics: metricsSchema.nullable().meta({
    description:
      'The mapping for the comparison. It has no counters if the service exposed none yet; null without Prometheus.',
  }),
  expectedCounts: expectedCountsSchema,
  snapshots: z.strictObject({ before: snapshotSchema.nullable(), after: snapshotSchema.nullable() }),
});

export type RunRecord = z.output<typeof recordSchema>;

const olderSchema = z.object({ kind: z.literal('loadgen-run'), version: z.int() });

/** Creates the folder if it is missing. @throws UsageError if no record can be written there */
export async function openLedger(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch(failAs(UsageError, `--ledger: cannot create ${folder}`));
  await checkWritable(join(folder, 'new.json'));
}

/**
 * Writes atomically: neither a reader nor a crash ever finds half of a record.
 * @param folder was checked by {@link openLedger}. @throws CheckError if it still cannot be written
 */
export async function saveRecord(folder: string, record: RunRecord): Promise<void> {
  const path = join(folder, fileName(record));
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporary, `${JSON.stringify(record, undefined, 2)}\n`);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    failAs(CheckError, `cannot write ${path}`)(error);
  }
}

/** @throws CheckError if the record cannot be removed */
export async function removeRecord(folder: string, record: RunRecord): Promise<void> {
  const path = join(folder, fileName(record));
  await rm(path, { force: true }).catch(failAs(CheckError, `cannot remove ${path}`));
}

/**
 * Starts a new ledger: earlier counts no longer matter. Writes the record of a run that sends nothing. Earlier records are kept
 * under names that are not read.
 */
export async function startLedger(folder: string, metrics: Metrics, before: Snapshot): Promise<void> {
  await openLedger(folder);
  const startedAt = new Date().toISOString();
  const earlier = await ledgerFiles(folder);
  await saveRecord(folder, {
    ...{ kind: 'loadgen-run', version: RECORD_VERSION, id: randomUUID(), state: 'finished', startedAt },
    ...{ metrics, expectedCounts: [], snapshots: { before, after: null } },
  });
  for (const path of earlier) await rename(path, `${path}.rebased`);
}

/** Sorts by time; two runs in the same millisecond have different names. */
function fileName({ startedAt, id }: RunRecord): string {
  return `${startedAt.replaceAll(':', '')}-${id.slice(0, 8)}.json`;
}

/** The JSON files of a folder. @throws UsageError if it cannot be read */
export async function ledgerFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(failAs(UsageError, `--ledger: cannot read ${folder}`));
  return names.filter((name) => name.endsWith('.json')).map((name) => join(folder, name));
}

/**
 * @returns the record; undefined if another version of the generator wrote it. Skipping such a run is safe: a verification starts
 * with the snapshot of its first run, so requests of a skipped run in between would appear as those of another client
 * @throws CheckError with the file and the location of every error: a damaged ledger verifies nothing
 */
export async function readRecord(path: string): Promise<RunRecord | undefined> {
  const json = await readJson(path);
  const older = olderSchema.safeParse(json);
  if (older.success && older.data.version !== RECORD_VERSION) return undefined;
  return parseFile(path, recordSchema, json);
}
