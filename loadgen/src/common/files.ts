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
  lstat,
  open,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isNativeError } from 'node:util/types';
import { CheckError, reasonOf, UsageError } from './errors.ts';
import { sleep } from './wait.ts';

/** What a path leads to, after its symbolic links. */
interface Place {
  readonly path: string;
  readonly kind: 'file' | 'other';
  /** Undefined where there is nothing yet. */
  readonly info?: Stats;
}

/**
 * Finds out, without a change, whether a file can be written. @returns the path of a regular one, after its links, which may be
 * written several times; undefined for others
 * @throws UsageError when it cannot
 */
export async function checkWritable(path: string): Promise<string | undefined> {
  try {
    const { path: own, kind, info } = await locate(path);
    if (info !== undefined) await access(own, constants.W_OK);
    else await access(dirname(own), constants.W_OK | constants.X_OK);
    if (info?.isDirectory()) throw new Error('it is a folder');
    const isSink = info?.isFile() || info?.isFIFO() || info?.isCharacterDevice() || info?.isBlockDevice();
    if (info !== undefined && !isSink) throw new Error('it is no file, FIFO or device');
    return kind === 'file' ? own : undefined;
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
    const place = await locate(path);
    if (place.kind === 'other') await writeThrough(place, text, signal);
    else await replace(place, text);
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

async function locate(path: string): Promise<Place> {
  await unlessMissing(stat(path)); // Says of a loop of links, and of a folder that cannot be searched, what it is.
  const folder = await realpath(dirname(path));
  // What a process has open looks there like a link to a file that could be replaced.
  if (/^\/dev(\/fd)?$|^\/proc\//.test(folder) || path.endsWith('/'))
    return { path, kind: 'other', info: await stat(path) };
  const own = join(folder, basename(path));
  const info = await unlessMissing(lstat(own));
  if (info?.isSymbolicLink()) return locate(resolve(folder, await readlink(own)));
  const kind = info === undefined || info.isFile() ? 'file' : 'other';
  return { path: own, kind, ...(info && { info }) };
}

async function unlessMissing(stats: Promise<Stats>): Promise<Stats | undefined> {
  try {
    return await stats;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function replace({ path, info }: Place, text: string): Promise<void> {
  if (info !== undefined) await access(path, constants.W_OK);
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
    if (info === undefined || !IN_PLACE_AFTER.has(codeOf(error))) throw error;
    await writeFile(path, text);
  }
}

/** A file in a folder that takes no new ones, or one that is itself a mount, can be written and not replaced. */
const IN_PLACE_AFTER: ReadonlySet<unknown> = new Set(['EACCES', 'EPERM', 'EBUSY', 'EROFS']);

/** Never blocks: a thread that waits for a FIFO's reader would keep the process from ending. */
async function writeThrough({ path, info }: Place, text: string, signal?: AbortSignal): Promise<void> {
  const { O_WRONLY, O_APPEND, O_NONBLOCK } = constants;
  const file = await retry(
    info?.isFIFO() ? 'ENXIO' : undefined,
    () => open(path, O_WRONLY | O_APPEND | O_NONBLOCK),
    signal,
  );
  try {
    let rest = Buffer.from(text);
    while (rest.length > 0) {
      const { bytesWritten } = await retry('EAGAIN', () => file.write(rest), signal);
      rest = rest.subarray(bytesWritten);
    }
  } finally {
    await file.close();
  }
}

const RETRY_MS = 10;

async function retry<T>(code: string | undefined, act: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (code === undefined || codeOf(error) !== code) throw error;
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
