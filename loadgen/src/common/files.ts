/** Output files, including devices, FIFOs and /dev/fd/63. Each is checked before a run and written after it. */
import { constants } from 'node:fs';
import { access, open, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { z } from 'zod';
import { CheckError, codeOf, failAs, reasonOf, UsageError } from './errors.ts';
import { sleep } from './wait.ts';

/** Checks whether a file can be written, without changing it. @throws UsageError if it cannot be written */
export async function checkWritable(path: string): Promise<void> {
  try {
    const info = await stat(path).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
    if (info?.isDirectory()) throw new Error('it is a directory');
    if (info?.isSocket()) throw new Error('it is a socket');
    if (info === undefined) await access(dirname(path), constants.W_OK | constants.X_OK);
    else await access(path, constants.W_OK);
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${reasonOf(error)}`);
  }
}

/**
 * Writes a file. Never blocks a thread, because a thread that waits for a FIFO's reader would keep the process from exiting.
 * @param signal ends the wait for a FIFO's reader
 * @throws CheckError if the file cannot be written
 */
export async function writeWhole(path: string, text: string, signal?: AbortSignal): Promise<void> {
  const { O_WRONLY, O_CREAT, O_NONBLOCK, O_APPEND, O_TRUNC } = constants;
  // Other processes may write to the same file, for example to standard output.
  const mode = /^\/(dev|proc)\//.test(path) ? O_APPEND : O_CREAT | O_TRUNC;
  try {
    const file = await retry('ENXIO', () => open(path, O_WRONLY | O_NONBLOCK | mode), signal);
    try {
      for (let rest = Buffer.from(text); rest.length > 0; ) {
        const { bytesWritten } = await retry('EAGAIN', () => file.write(rest), signal);
        rest = rest.subarray(bytesWritten);
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new CheckError(`cannot write ${path}: ${reasonOf(error)}`);
  }
}

/** @throws UsageError if the file cannot be read, CheckError if it is not JSON */
export async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(failAs(UsageError, `cannot read ${path}`));
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CheckError(`${path}: not a report: ${reasonOf(error)}`);
  }
}

/** @throws CheckError with the file and the location of every error */
export function parseFile<T>(path: string, schema: z.ZodType<T>, json: unknown): T {
  const { success, data, error } = schema.safeParse(json);
  if (success) return data;
  const places = error.issues.map((one) => `${path}: ${one.path.join('.') || 'the file'}: ${one.message}`);
  throw new CheckError(places.join('\n'));
}

const RETRY_MS = 10;

async function retry<T>(code: string, act: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (codeOf(error) !== code) throw error;
    }
    await sleep(RETRY_MS, signal);
  }
}
