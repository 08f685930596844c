/** Runs scripts as a user does, but with a folder of the test's own: its programs come first on the PATH. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from '@jest/globals';
import { repositoryRoot } from '../support/repository.ts';

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Sandbox {
  readonly folder: string;
  path(name: string): string;
  /** The text of a file of the folder; nothing where there is none. */
  read(name: string): Promise<string>;
  program(name: string, script: string): Promise<void>;
  /** `program` by its path in the repository, or by its name on the PATH; no variables but these and those of a login shell. */
  run(
    program: string,
    words?: readonly string[],
    variables?: Record<string, string>,
    cwd?: string,
  ): Promise<Ended>;
  /** A shell that has read these of scripts/ before the script. */
  shell(sourced: readonly string[], script: string, variables?: Record<string, string>): Promise<Ended>;
}

/** One folder a test, or one for all tests of the file, whose name a shell would take apart. */
export function useSandbox(): Sandbox {
  let folder = '';
  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'a sandbox ')));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const path = (name: string) => join(folder, name);
  const run: Sandbox['run'] = (program, words = [], variables = {}, cwd = repositoryRoot) => {
    const env = {
      PATH: `${folder}:/usr/local/bin:/usr/bin:/bin`,
      HOME: folder,
      TMPDIR: folder,
      REPORTS_FOLDER: path('reports'),
      INSTALL_ENGINE: 'no',
      ...variables,
    };
    const file = program.includes('/') ? join(repositoryRoot, program) : program;
    return new Promise((resolve) => {
      execFile(file, words, { env, cwd, timeout: 40_000 }, (error, out, err) =>
        resolve({ code: Number(error?.code ?? 0), out, err }),
      );
    });
  };
  return {
    get folder() {
      return folder;
    },
    path,
    read: (name) => readFile(path(name), 'utf8').catch(() => ''),
    program: (name, script) => writeFile(path(name), `#!/bin/sh\n${script}\n`, { mode: 0o755 }),
    run,
    shell: (sourced, script, variables) => {
      const sources = sourced.map((name) => `. '${repositoryRoot}/scripts/${name}.sh'`);
      return run('sh', ['-c', ['set -u', ...sources, script].join('; ')], variables);
    },
  };
}
