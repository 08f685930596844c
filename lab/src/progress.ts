/** Keeps the questions that a learner has answered in a file between runs. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface Progress {
  /** Ids of the answered questions. */
  solved: string[];
}

/** Reads the progress; a missing or damaged file means no progress. */
export async function readProgress(file: string, known: readonly string[]): Promise<Progress> {
  try {
    const { solved } = JSON.parse(await readFile(file, 'utf8')) as Partial<Progress>;
    return { solved: known.filter((id) => Array.isArray(solved) && solved.includes(id)) };
  } catch {
    return { solved: [] };
  }
}

export async function writeProgress(file: string, progress: Progress): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(progress)}\n`);
}
