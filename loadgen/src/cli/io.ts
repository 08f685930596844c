/** The environment of a command, injected for tests, and flags that several commands share. */
import type { Readable } from 'node:stream';
import type { AccessFlags } from '../run/connect-prometheus.ts';
import type { Channel } from '../run/worker.ts';
import type { WorkerProcess } from '../run/worker-pool.ts';

export interface Io {
  readonly stdin: Readable;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Starts a process of this program that sends a shard. */
  readonly startWorker: () => WorkerProcess;
  /** The channel to the process that started this one as a worker. */
  readonly channel?: Channel | undefined;
}

export interface PrometheusFlags extends AccessFlags {
  readonly prometheus?: string;
  readonly quiet?: true;
  readonly job: string;
  readonly wait: number;
}

/** How to wait for a scrape. */
export function waitOptions({ job, wait, quiet }: PrometheusFlags, { signal, stderr }: Io) {
  const onWait = (why: string) => void (quiet || stderr.write(`waiting for Prometheus: ${why}\n`));
  return { job, waitMs: wait, signal, onWait };
}
