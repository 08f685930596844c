/** Runs commands in the test's process, with streams that store their output. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, beforeEach } from '@jest/globals';
import { runCli } from '../src/cli/command-line.ts';
import type { Io } from '../src/cli/io.ts';

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A stream that is not a terminal and stores its output. The CLI only writes to it. */
function createStream() {
  const stream = new PassThrough();
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => Buffer.concat(chunks).toString() };
}

function startWorker(): never {
  throw new Error('these tests start no process');
}

/** Runs a command like `main.ts`. */
export async function loadgen(
  args: readonly string[],
  {
    signal = new AbortController().signal,
    env = {},
    stdin = Readable.from([]),
  }: Partial<Pick<Io, 'signal' | 'env' | 'stdin'>> = {},
): Promise<Ended> {
  const [out, err] = [createStream(), createStream()];
  const io: Io = { stdin, stdout: out.stream, stderr: err.stream, signal, startWorker, env };
  try {
    const code = await runCli(args, io);
    return { code, out: out.text(), err: err.text() };
  } catch (error) {
    const { exitCode, message } = error as { exitCode?: number; message: string };
    if (exitCode === undefined) throw error;
    return { code: exitCode, out: out.text(), err: `${err.text()}${message}\n` };
  }
}

/** Creates a folder for each test of a file. @returns a function from a name to its path in the folder */
export function useFolder(): (name: string) => string {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'loadgen-'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  return (name) => join(folder, name);
}
