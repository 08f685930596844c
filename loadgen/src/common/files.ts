/**
 * Files. A regular file is replaced whole or not at all; whatever else a path leads to (a device, a FIFO, an open file
 * such as /dev/fd/63) is written through and stays what it is.
 */
import { randomUUID } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import {
  access,
  chmod,
  chown,
  open,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { isNativeError } from 'node:util/types';
import type { z } from 'zod';
import { CheckError, reasonOf, UsageError } from './errors.ts';
import { sleep } from './wait.ts';

/** Finds out, without a change, whether a file can be written. @throws UsageError when it cannot */
export async function checkWritable(path: string): Promise<void> {
  try {
    const info = await infoOf(path);
    if (info?.isDirectory()) throw new Error('it is a folder');
    if (info?.isSocket()) throw new Error('it is a socket');
    if (info !== undefined) await access(path, constants.W_OK);
    if (isReplaceable(path, info))
      await access(dirname(await destinationOf(path)), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new UsageError(describe(path, error));
  }
}

/**
 * Writes a file; where it is a regular one, so that a reader or a crash never meets half of it.
 * @param signal ends the wait for a FIFO's reader
 * @throws CheckError when it cannot
 */
export async function writeWhole(path: string, text: string, signal?: AbortSignal): Promise<void> {
  try {
    const info = await infoOf(path);
    if (isReplaceable(path, info)) await replace(await destinationOf(path), info, text);
    else await writeThrough(path, text, signal);
  } catch (error) {
    throw new CheckError(describe(path, error));
  }
}

/** @throws UsageError when the file cannot be read; CheckError when it is not JSON */
export async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${reasonOf(error)}`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CheckError(`${path}: not a report: ${reasonOf(error)}`);
  }
}

/** @throws CheckError that names the file and the place of every mistake */
export function parseFile<T>(path: string, schema: z.ZodType<T>, json: unknown): T {
  const { success, data, error } = schema.safeParse(json);
  if (success) return data;
  const places = error.issues.map((one) => `${path}: ${one.path.join('.') || 'the file'}: ${one.message}`);
  throw new CheckError(places.join('\n'));
}

/** Of what a path leads to; undefined where there is nothing yet. */
async function infoOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** What a process has open looks in these folders like a link to a file that could be replaced. */
function isReplaceable(path: string, info: Stats | undefined): boolean {
  return (info === undefined || info.isFile()) && !/^\/(dev|proc)\//.test(path);
}

/** Where a path leads to, also by a link to nothing yet. */
async function destinationOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const linked = await readlink(path).catch(() => undefined);
    return linked === undefined ? path : destinationOf(resolve(dirname(path), linked));
  }
}

async function replace(path: string, info: Stats | undefined, text: string): Promise<void> {
  const temporary = join(dirname(path), `.loadgen-${randomUUID()}.tmp`);
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    if (info !== undefined) {
      await chown(temporary, info.uid, info.gid).catch(() => {}); // Only root may give a file away.
      await chmod(temporary, info.mode & 0o7777);
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}

/** Never blocks: a thread that waits for a FIFO's reader would keep the process from ending. */
async function writeThrough(path: string, text: string, signal?: AbortSignal): Promise<void> {
  const { O_WRONLY, O_APPEND, O_NONBLOCK } = constants;
  const file = await retry('ENXIO', () => open(path, O_WRONLY | O_APPEND | O_NONBLOCK), signal);
  try {
    for (let rest = Buffer.from(text); rest.length > 0; ) {
      const { bytesWritten } = await retry('EAGAIN', () => file.write(rest), signal);
      rest = rest.subarray(bytesWritten);
    }
  } finally {
    await file.close();
  }
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

function codeOf(error: unknown): unknown {
  return isNativeError(error) && 'code' in error ? error.code : undefined;
}

function describe(path: string, error: unknown): string {
  return `cannot write ${path}: ${reasonOf(error)}`;
}
