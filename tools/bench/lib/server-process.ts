/** Starts a benchmark's server as a process on the core for servers; the benchmark itself runs on the other core (run.ts). */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { onCore, SERVER_CORE } from './cpu.ts';

/** The resource use of a server process since it started. */
export interface Usage {
  /** CPU time of the whole process, in microseconds. */
  readonly cpuMicros: number;
  /** The time of the measurement, on a monotonic clock. */
  readonly atMs: number;
}

export type ServerProcess = Awaited<ReturnType<typeof startServer>>;

/**
 * Runs `middleware/server.ts` with `args`.
 * @param nodeOptions options of Node itself: `['--import', './telemetry.ts']`
 * @throws if the process ends before it listens
 */
export async function startServer(args: readonly string[], nodeOptions: readonly string[] = []) {
  const script = new URL('../middleware/server.ts', import.meta.url).pathname;
  const [command, ...rest] = onCore(SERVER_CORE);
  const child = spawn(command, [...rest, process.execPath, ...nodeOptions, script, ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${script} ${args.join(' ')} ended with ${code} before it listened`);
  });
  const [port, metricsPort] = await Promise.race([message<[number, number]>(child), ended]);
  return {
    url: `http://127.0.0.1:${port}`,
    metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`,
    usage() {
      child.send('usage');
      return message<Usage>(child);
    },
    async stop() {
      child.disconnect();
      await ended.catch(() => undefined);
    },
  };
}

async function message<T>(child: ChildProcess): Promise<T> {
  const [value] = await once(child, 'message');
  return value;
}
