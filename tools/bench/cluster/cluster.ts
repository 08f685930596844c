/** Starts, loads and scrapes the compared clusters. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, get as httpGet } from 'node:http';
import { subjects } from '../middleware/apps.ts';

export const variants = ['this package', '@prometheus-io/client', 'prom-client'] as const;

export interface Reading {
  /** From workers to the primary, since the last reading. */
  readonly bytes: number;
  /** The longest delay of the primary's event loop since then. */
  readonly delayMs: number;
  readonly pids: readonly number[];
}

export type RunningCluster = Awaited<ReturnType<typeof startCluster>>;

const agent = new Agent({ keepAlive: false, maxSockets: 64 });

export async function startCluster(variant: string, env: NodeJS.ProcessEnv = {}) {
  const program = new URL('./program.ts', import.meta.url).pathname;
  const child = fork(program, [variant], {
    env: { ...process.env, ...env },
    execArgv: ['--no-warnings'],
  });
  const [ports] = (await once(child, 'message')) as [{ port: number; metricsPort: number }];
  return {
    primary: child.pid as number,
    async read() {
      child.send('read');
      const [reading] = (await once(child, 'message')) as [Reading];
      return reading;
    },
    /** Sends one request on its own connection, so that workers take turns. */
    request: (target: string) =>
      new Promise<void>((resolve, reject) => {
        httpGet({ port: ports.port, host: '127.0.0.1', path: target, agent }, (response) =>
          response.resume().on('end', resolve),
        ).on('error', reject);
      }),
    scrape: async (): Promise<string> =>
      (await fetch(`http://127.0.0.1:${ports.metricsPort}/metrics`)).text(),
    async stop() {
      child.kill();
      await once(child, 'exit');
    },
  };
}

/** The paths with a GET route. */
export const targets = (subjects[150] as (typeof subjects)[string]).routes
  .filter(({ method }) => method === 'get')
  .map(({ path }) => path.replace(':id', '7'));

/** CPU time of processes so far, in ms, from the scheduler. */
export const cpuMs = (pids: readonly number[]) =>
  pids.reduce(
    (sum, pid) => sum + Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6,
    0,
  );
