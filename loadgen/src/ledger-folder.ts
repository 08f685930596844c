/** The folder in which every run leaves its report, so that `verify` can add them up. One file a run, written whole or not at all. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CheckError, reasonOf, UsageError } from './errors.ts';
import { type Rebase, type Report, type RunRecord, rebaseSchema, recordSchema } from './report.ts';

const entrySchema = z.discriminatedUnion('kind', [recordSchema, rebaseSchema]);

/** Writes or replaces a file so that a reader, or a crash, never meets half of it. @throws UsageError when it cannot */
export async function writeWhole(path: string, value: unknown): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, `${JSON.stringify(value, undefined, 2)}\n`);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new UsageError(`cannot write ${path}: ${reasonOf(error)}`);
  }
}

export async function saveEntry(folder: string, entry: Report | Rebase): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new UsageError(`--ledger: cannot make ${folder}: ${reasonOf(error)}`);
  }
  await writeWhole(join(folder, fileName(entry)), entry);
}

/** Sorts by time, and tells two runs of the same millisecond apart. */
function fileName({ startedAt, id }: Report | Rebase): string {
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

/** @throws CheckError that names the file and the place of every mistake: a damaged ledger proves nothing */
export async function readEntry(path: string): Promise<RunRecord | Rebase> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new CheckError(`${path}: not a report: ${reasonOf(error)}`);
  }
  const { success, data, error } = entrySchema.safeParse(json);
  if (success) return data;
  throw new CheckError(
    error.issues.map((i) => `${path}: ${i.path.join('.') || 'the file'}: ${i.message}`).join('\n'),
  );
}
