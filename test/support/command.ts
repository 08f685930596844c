/** Runs programs like a user's shell, without a terminal, by default in the repository's root. */
import { spawn } from 'node:child_process';
import { repositoryRoot } from './repository.ts';

export interface CommandResult {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

export type RunningCommand = ReturnType<typeof start>;

/** @param input the text on standard input */
export function start(
  program: string,
  words: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
  input = '',
  cwd = repositoryRoot,
) {
  // Detached: in a separate process group.
  const child = spawn(program, words, { cwd, env: environment, detached: true });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A program that ends before it has read everything closes the pipe.
  child.stdin.on('error', () => undefined).end(input);
  const result = new Promise<CommandResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
  return {
    process: child,
    /** The text on stderr so far. */
    stderr: () => stderr,
    /** Sends Ctrl-C like a terminal: to the command and all its children. */
    interrupt() {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGINT');
    },
    result,
  };
}

/** Starts a program and waits until it ends. */
export const run = (...command: Parameters<typeof start>): Promise<CommandResult> => start(...command).result;

/** `docker WORDS...`. @returns its output @throws when its exit status is not 0 */
export async function docker(...words: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await run('docker', words);
  if (exitCode !== 0) throw new Error(`docker ${words.join(' ')}: exit status ${exitCode}: ${stderr}`);
  return stdout.trim();
}
