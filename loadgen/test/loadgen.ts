/** The commands as tests run them: in their own process, against a stack that is made up, with streams that remember. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach } from '@jest/globals';
import { runCli } from '../src/cli/command-line.ts';
import type { Io } from '../src/cli/io.ts';
import { type FakeStack, startFakeStack } from './fake-stack.ts';

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A stream that is no terminal and remembers. The CLI only writes to it. */
function createStream() {
  const stream = new PassThrough();
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => Buffer.concat(chunks).toString() };
}

function startWorker(): never {
  throw new Error('these tests start no process');
}

/** Runs a command as `main.ts` does. @param args words; as a text they are separated by spaces */
export async function loadgen(
  args: string | readonly string[],
  signal = new AbortController().signal,
  env: Record<string, string> = {},
): Promise<Ended> {
  const [out, err] = [createStream(), createStream()];
  const io: Io = { stdout: out.stream, stderr: err.stream, signal, startWorker, env };
  try {
    const code = await runCli(typeof args === 'string' ? args.split(' ') : args, io);
    return { code, out: out.text(), err: err.text() };
  } catch (error) {
    const { exitCode, message } = error as { exitCode?: number; message: string };
    if (exitCode === undefined) throw error;
    return { code: exitCode, out: out.text(), err: `${err.text()}${message}\n` };
  }
}

export interface Lab {
  readonly stack: FakeStack;
  /** A path in a folder of its own. */
  at(name: string): string;
  /** Writes a file there. @returns its path */
  write(name: string, text: string): Promise<string>;
  /** The flags that name the target, Prometheus, and a ledger. */
  readonly target: string;
  readonly prometheus: string;
  readonly ledger: string;
  /** `loadgen run` of the words, with the target. */
  run(words: string, signal?: AbortSignal): Promise<Ended>;
}

/** A stack and a folder for each test of a file. */
export function useLab(): Lab {
  let stack: FakeStack;
  let folder = '';
  beforeEach(async () => {
    stack = await startFakeStack();
    folder = await mkdtemp(join(tmpdir(), 'loadgen-'));
  });
  afterEach(async () => {
    await stack.stop();
    await rm(folder, { recursive: true });
  });
  const at = (name: string) => join(folder, name);
  return {
    get stack() {
      return stack;
    },
    at,
    async write(name, text) {
      await writeFile(at(name), text);
      return at(name);
    },
    get target() {
      return `--target ${stack.target.url}`;
    },
    get prometheus() {
      return `--prometheus ${stack.observer.url} --wait 5s`;
    },
    get ledger() {
      return `--ledger ${at('ledger')}`;
    },
    run: (words, signal) => loadgen(`run ${words} --target ${stack.target.url}`, signal),
  };
}
