/** Runs scripts like a user, but with a temporary folder whose programs are first on the PATH. */
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from '@jest/globals';
import { run as runCommand } from '../support/command.ts';
import { repositoryRoot } from '../support/repository.ts';

type Variables = Record<string, string>;

/** One folder per test, with a name that a shell would split. */
export function useSandbox() {
  let folder = '';
  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'a sandbox ')));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const path = (name: string) => join(folder, name);
  /** `program` is a path in the repository, or a name on the PATH; variables are only these and those of a login shell. */
  async function run(
    program: string,
    words: readonly string[] = [],
    variables: Variables = {},
    cwd?: string,
  ) {
    const env = {
      PATH: `${folder}:/usr/local/bin:/usr/bin:/bin`,
      ...{ HOME: folder, TMPDIR: folder, REPORTS_FOLDER: path('reports'), INSTALL_ENGINE: 'no' },
      ...variables,
    };
    const file = program.includes('/') ? join(repositoryRoot, program) : program;
    const { exitCode: code, stdout: out, stderr: err } = await runCommand(file, words, env, '', cwd);
    return { code, out, err };
  }

  return {
    get folder() {
      return folder;
    },
    path,
    run,
    /** The text of a file in the folder; empty if it does not exist. */
    read: (name: string) => readFile(path(name), 'utf8').catch(() => ''),
    program: (name: string, script: string) =>
      writeFile(path(name), `#!/bin/sh\n${script}\n`, { mode: 0o755 }),
    /** Runs a shell script after sourcing these files of scripts/. */
    shell(sourced: readonly string[], script: string, variables?: Variables) {
      const sources = sourced.map((name) => `. '${repositoryRoot}/scripts/${name}.sh'`);
      return run('sh', ['-c', ['set -u', ...sources, script].join('; ')], variables);
    },
  };
}
