/** Files that are written whole or not at all, and JSON that says which file it was. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { CheckError, reasonOf, UsageError } from './errors.ts';

/** Writes or replaces a file so that a reader, or a crash, never meets half of it. @throws UsageError when it cannot */
export async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, text);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new UsageError(`cannot write ${path}: ${reasonOf(error)}`);
  }
}

/** @throws CheckError when the file cannot be read or is not JSON */
export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new CheckError(`${path}: not a report: ${reasonOf(error)}`);
  }
}
