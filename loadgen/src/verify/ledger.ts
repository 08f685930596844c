/** The ledger: the folder in which every run leaves its report, so that `verify` can add them up. One file a run. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CheckError, reasonOf, UsageError } from '../common/errors.ts';
import { checkWritable, readJson, writeWhole } from '../common/files.ts';
import { type Entry, RECORD_VERSION, rebaseSchema, recordSchema } from './record.ts';

const entrySchema = z.discriminatedUnion('kind', [recordSchema, rebaseSchema]);
const olderSchema = z.object({ kind: z.enum(['loadgen-run', 'loadgen-rebase']), version: z.int() });

/** Makes the folder, where it is missing. @throws UsageError when no entry can be written there */
export async function openLedger(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new UsageError(`--ledger: cannot make ${folder}: ${reasonOf(error)}`);
  }
  await checkWritable(join(folder, 'new.json'));
}

/** @param folder one that {@link openLedger} has checked. @throws CheckError when it cannot be written all the same */
export async function saveEntry(folder: string, entry: Entry): Promise<void> {
  await writeWhole(join(folder, fileName(entry)), `${JSON.stringify(entry, undefined, 2)}\n`);
}

/** @throws CheckError when it cannot */
export async function removeEntry(folder: string, entry: Entry): Promise<void> {
  const path = join(folder, fileName(entry));
  try {
    await rm(path, { force: true });
  } catch (error) {
    throw new CheckError(`cannot remove ${path}: ${reasonOf(error)}`);
  }
}

/** Sorts by time; two runs of the same millisecond have two names. */
function fileName({ startedAt, id }: Entry): string {
  return `${startedAt.replaceAll(':', '')}-${id.slice(0, 8)}.json`;
}

/** The JSON files of a folder. @throws UsageError when it cannot be read */
export async function ledgerFiles(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder);
    return names.filter((name) => name.endsWith('.json')).map((name) => join(folder, name));
  } catch (error) {
    throw new UsageError(`--ledger: cannot read ${folder}: ${reasonOf(error)}`);
  }
}

/**
 * @returns the entry; undefined for one that another version of the generator wrote. To leave such a run out is safe: a
 * verification begins with the snapshot of its first run, so the requests of a run in between would show as those of another client
 * @throws CheckError that names the file and the place of every mistake: a damaged ledger verifies nothing
 */
export async function readEntry(path: string): Promise<Entry | undefined> {
  const json = await readJson(path);
  const older = olderSchema.safeParse(json);
  if (older.success && older.data.version !== RECORD_VERSION) return undefined;
  const { success, data, error } = entrySchema.safeParse(json);
  if (success) return data;
  throw new CheckError(
    error.issues.map((i) => `${path}: ${i.path.join('.') || 'the file'}: ${i.message}`).join('\n'),
  );
}
