/** Installs the dependencies of programs in other languages once, into `.cache/conformance`, which git ignores. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const programs = fileURLToPath(new URL('programs/', import.meta.url));
const cache = fileURLToPath(new URL('../../.cache/conformance/', import.meta.url));

/** A language or registry is not available on this machine. */
export class LeftOut extends Error {}

/** A folder that `build` fills once per content of `sources`; two processes may do so at the same time. */
export async function cached(
  name: string,
  sources: readonly string[],
  build: (folder: string) => Promise<unknown>,
): Promise<string> {
  const hash = createHash('sha256');
  for (const source of sources) hash.update(readFileSync(join(programs, source)));
  const path = join(cache, `${name.replaceAll(' ', '-')}-${hash.digest('hex').slice(0, 8)}`);
  if (existsSync(path)) return path;
  mkdirSync(cache, { recursive: true });
  const made = mkdtempSync(`${path}.`);
  try {
    await build(made);
    renameSync(made, path);
  } catch (error) {
    if (!existsSync(path)) throw error;
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  return path;
}

/** @returns the output @throws {LeftOut} if the command is missing or fails */
export async function run(command: string, ...args: string[]): Promise<string> {
  try {
    return (await promisify(execFile)(command, args, { cwd: programs })).stdout.trim();
  } catch (error) {
    const { code, stderr = '' } = error as { code?: string; stderr?: string };
    if (code === 'ENOENT') throw new LeftOut(`${command} is not installed`);
    throw new LeftOut(`${command} ${args.slice(0, 3).join(' ')} failed: ${stderr.trim().split('\n').at(-1)}`);
  }
}
