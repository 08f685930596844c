/** The environment of a command, injected for tests, and flags that several commands share. */
import type { Readable } from 'node:stream';
import { type AccessFlags, connectPrometheus } from '../run/connect-prometheus.ts';
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

/** Connects to Prometheus. @returns the options for reading snapshots of the job */
export async function openSource(url: string, flags: PrometheusFlags, io: Io, retryMs = flags.wait) {
  const prometheus = await connectPrometheus(url, flags, io.env, retryMs);
  const onWait = (why: string) => noteOf(flags, io)(`waiting for Prometheus: ${why}`);
  return { prometheus, job: flags.job, waitMs: flags.wait, signal: io.signal, onWait };
}

export function noteOf({ quiet }: PrometheusFlags, { stderr }: Io): (text: string) => void {
  return (text) => void (quiet || stderr.write(`${text}\n`));
}
