/**
 * Starts a benchmark's server as a process of its own on the first core; the benchmark itself is started on the second
 * (see `package.json`), so that client and server do not take each other's time.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { onCore, SERVER_CORE } from './cores.ts';

/** What a server process has used since it started. */
export interface Usage {
  /** CPU time of the whole process, in microseconds. */
  readonly cpuMicros: number;
  /** When that was, by a monotonic clock. */
  readonly atMs: number;
}

export interface ServerProcess {
  readonly url: string;
  usage(): Promise<Usage>;
  /** What the server's own script answers to a message. */
  ask<T>(question: string): Promise<T>;
  stop(): Promise<void>;
}

/**
 * Runs `script` (which calls `serve` of `serve.ts`) with `args`.
 * @param nodeOptions of Node itself: `['--import', './telemetry.ts']`
 * @throws when the process ends before it listens
 */
export async function startServer(
  script: string,
  args: readonly string[] = [],
  nodeOptions: readonly string[] = [],
): Promise<ServerProcess> {
  const [command, ...rest] = onCore(SERVER_CORE);
  const child = spawn(command, [...rest, process.execPath, ...nodeOptions, script, ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const port = await Promise.race([message<number>(child), exited(child, script, args)]);
  const ask = <T>(question: string) => {
    child.send(question);
    return message<T>(child);
  };
  return {
    url: `http://127.0.0.1:${port}`,
    usage: () => ask<Usage>('usage'),
    ask,
    async stop() {
      const exit = once(child, 'exit');
      child.disconnect();
      await exit;
    },
  };
}

async function message<T>(child: ChildProcess): Promise<T> {
  const [value] = await once(child, 'message');
  return value;
}

async function exited(child: ChildProcess, script: string, args: readonly string[]): Promise<never> {
  const [code] = await once(child, 'exit');
  throw new Error(`${script} ${args.join(' ')} ended with ${code} before it listened`);
}
