/** The outside world of a command, so that tests can be it. */

import type { Channel } from '../run/worker.ts';
import type { WorkerProcess } from '../run/worker-pool.ts';

export interface Io {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Starts a process of this program that sends a shard. */
  readonly startWorker: () => WorkerProcess;
  /** To the process that started this one as a worker. */
  readonly channel?: Channel | undefined;
}
