/** Packages as users get them: packed, checked, and installed into separate projects. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData, type Problem } from '@arethetypeswrong/core';
import { expect, it } from '@jest/globals';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { read, repositoryRoot } from './repository.ts';

const run = promisify(execFile);

/** @returns the tarballs, in `folder`, of the package in `packed` and of all its dependencies, at any depth */
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

/** Offline, with the dependencies from this repository, whatever npm has cached: the test covers the package, not a registry. */
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

/**
 * The requirements of both packages.
 * @param tarball is known when the tests run
 * @param unsupported the ways of resolving types that the package does not support
 */
export function itIsPublishable(folder: string, tarball: () => string, unsupported: readonly string[] = []) {
  const readme = read(`${folder}/README.md`);

  it('is no larger than the README says, packed and installed', async () => {
    const flags = ['--dry-run', '--json', '--ignore-scripts'];
    const { stdout } = await run('npm', ['pack', ...flags], { cwd: repositoryRoot + folder });
    const [{ size, unpackedSize }] = JSON.parse(stdout);
    const [, packed, installed] = /(\d+)\s+kB\s+packed\s+and\s+(\d+)\s+kB\s+installed/.exec(readme) ?? [];
    for (const [bytes, stated] of [
      [size, packed],
      [unpackedSize, installed],
    ]) {
      expect(bytes / 1000).toBeLessThan(Number(stated));
      expect(bytes / 1000).toBeGreaterThan(Number(stated) * 0.9);
    }
  });

  it('has a README without links that work only in this repository', () => {
    expect(readme.match(/\]\((?!https:|#)[^)]*\)/g)).toBeNull();
  });

  it('passes publint', async () => {
    const data = new Uint8Array(await readFile(tarball())).buffer;
    const { messages, pkg } = await publint({ pack: { tarball: data }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  it('has correct types for every supported module resolution', async () => {
    const result = await checkPackage(
      createPackageFromTarballData(new Uint8Array(await readFile(tarball()))),
    );
    if (!('problems' in result)) throw new Error('expected types, got none');
    const isOurs = (problem: Problem) =>
      !('resolutionKind' in problem) || !unsupported.includes(problem.resolutionKind);
    expect(result.problems.filter(isOurs)).toEqual([]);
  });
}
