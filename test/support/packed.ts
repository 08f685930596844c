/** Packages as strangers get them: packed, checked, and installed into projects of their own. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData, type Problem } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { repositoryRoot } from './repository.ts';

const run = promisify(execFile);

/** @returns the tarballs, in `folder`, of the package in `packed`, and of what it depends on, and of what that depends on */
export async function pack(packed: string, folder: string): Promise<[string, ...string[]]> {
  const flags = ['--json', '--ignore-scripts', '--pack-destination', folder];
  const { stdout } = await run('npm', ['pack', ...flags], { cwd: packed });
  const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf('['))) as [{ filename: string }];
  const manifest = JSON.parse(await readFile(`${packed}/package.json`, 'utf8')) as {
    dependencies?: Record<string, string>;
  };
  const below = Object.keys(manifest.dependencies ?? {}).map((id) =>
    pack(`${repositoryRoot}node_modules/${id}`, folder),
  );
  return [`${folder}/${filename}`, ...(await Promise.all(below)).flat()];
}

/** Offline, with the dependencies from this repository, whatever npm has cached: what is tested is the package, not a registry. */
export async function installTarballs(project: string, tarballs: readonly string[]) {
  const flags = ['--offline', '--no-audit', '--no-fund', '--no-package-lock'];
  await run('npm', ['install', ...flags, ...tarballs], { cwd: project });
}

export async function filesIn(tarball: string): Promise<string[]> {
  const { stdout } = await run('tar', ['-tzf', tarball]);
  return stdout
    .trim()
    .replaceAll(/^package\//gm, '')
    .split('\n');
}

/** What publint warns of. */
export async function lintTarball(tarball: string): Promise<(string | undefined)[]> {
  const data = await readFile(tarball);
  const { messages, pkg } = await publint({ pack: { tarball: new Uint8Array(data).buffer }, strict: true });
  return messages.map((message) => formatMessage(message, pkg));
}

/** Ways of resolving types that do not find them, and types that are not true. */
export async function typeProblemsOf(tarball: string): Promise<(Problem | string)[]> {
  const result = await checkPackage(createPackageFromTarballData(new Uint8Array(await readFile(tarball))));
  return result.types && 'problems' in result ? result.problems : ['no types'];
}
