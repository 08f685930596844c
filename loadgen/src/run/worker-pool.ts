/**
 * Several processes that send one schedule together, each a shard of it, to use more than one core. This process only distributes
 * the jobs and adds up the results. If a worker is lost, the loss is reported and the others finish.
 */
import { once } from 'node:events';
import { CheckError, NotSentError, UnreachableError } from '../common/errors.ts';
import { sumOf } from '../common/sums.ts';
import { isWhole, partOf, type Shard } from '../load/shard.ts';
import { formatLost, type Sent, sumSent } from '../report/combine.ts';
import type { LostShard } from '../report/report.ts';
import { createProgress, type LiveNumbers } from './progress.ts';
import type { Sender, SenderOptions } from './sender.ts';
import type { FromWorker, Job, ToWorker } from './worker.ts';

/** The process of a worker, seen from this process. */
export interface WorkerProcess {
  send(message: ToWorker): void;
  onMessage(listener: (message: FromWorker) => void): void;
  /** `how` is the exit code or signal, or the reason why the process did not start. */
  onExit(listener: (how: string) => void): void;
  kill(): void;
}

export interface WorkerPoolOptions extends SenderOptions {
  readonly workers: number;
  readonly shard: Shard;
  readonly job: Omit<Job, 'shard'>;
  startWorker(): WorkerProcess;
}

/** Without a start time, workers start this long after the last one is ready, so that the message reaches each of them in time. */
const LEAD_MS = 50;
const LEAD_PER_WORKER_MS = 10;

export function createWorkerPool(options: WorkerPoolOptions, own: Sender): Sender {
  const { workers, signal } = options;
  const pool: Worker[] = [];
  const lost = new AbortController();
  return {
    lost: lost.signal,
    phases: options.phases,
    async prepare() {
      await own.prepare();
      for (let n = 1; n <= workers; n++) {
        const job = { ...options.job, shard: partOf(options.shard, n, workers) };
        pool.push(new Worker(options.startWorker(), job, (error) => lost.abort(error)));
      }
      const stopped = AbortSignal.any([signal, lost.signal]);
      stopped.throwIfAborted();
      await Promise.race([Promise.all(pool.map(({ ready }) => ready)), once(stopped, 'abort')]);
      stopped.throwIfAborted();
    },
    async send(startAtMs) {
      const stop = () => {
        for (const worker of pool) worker.send({ kind: 'stop' });
      };
      signal.addEventListener('abort', stop);
      const atMs = startAtMs ?? Date.now() + LEAD_MS + LEAD_PER_WORKER_MS * workers;
      const isFixed = startAtMs !== undefined;
      const endView = showPhases(options, pool, atMs);
      for (const worker of pool) worker.send({ kind: 'start', atMs, isFixed });
      if (signal.aborted) stop();
      const results = await Promise.all(pool.map(({ ended }) => ended));
      endView();
      signal.removeEventListener('abort', stop);
      const parts = results.filter((result) => 'phases' in result);
      const missing = results.filter((result) => 'reason' in result);
      if (parts.length === 0) throw createLostError(missing, pool);
      return sumSent(parts, missing, isWhole(options.shard));
    },
    close() {
      for (const worker of pool) worker.process.kill();
    },
  };
}

/** If no worker has sent numbers, only workers that reported a failure are known to have sent nothing. */
function createLostError(lost: readonly LostShard[], pool: readonly Worker[]): CheckError {
  const message = lost.map(formatLost).join('\n');
  const hasSentNothing = pool.every(({ hasFailed, numbers }) => hasFailed && numbers === undefined);
  return hasSentNothing ? new NotSentError(message) : new CheckError(message);
}

class Worker {
  readonly process: WorkerProcess;
  /** The latest numbers of the current phase; undefined before the first. */
  numbers: LiveNumbers | undefined;
  isOver = false;
  /** Whether the worker reported the failure itself. */
  hasFailed = false;
  onPhase: (phase: number) => void = () => {};
  readonly ready: Promise<void>;
  readonly ended: Promise<Sent | LostShard>;

  constructor(process: WorkerProcess, job: Job, onLost: (error: Error) => void) {
    this.process = process;
    const ready = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<Sent | LostShard>();
    this.ready = ready.promise;
    this.ended = ended.promise;
    const end = (result: Sent | LostShard) => {
      this.isOver = true;
      ended.resolve(result);
    };
    const lose = (reason: string, LostError: typeof CheckError | typeof UnreachableError) => {
      if (this.isOver) return;
      const lost = { ...job.shard, reason };
      end(lost);
      onLost(new LostError(formatLost(lost)));
    };
    process.onMessage((message) => {
      if (message.kind === 'ready') ready.resolve();
      else if (message.kind === 'sent') end(message.sent);
      else if (message.kind === 'failed') {
        this.hasFailed = true;
        lose(`could not send: ${message.reason}`, UnreachableError);
      } else {
        this.numbers = message.numbers;
        this.onPhase(message.phase);
      }
    });
    process.onExit((how) => lose(`was lost: its process ended with ${how}`, CheckError));
    process.send({ kind: 'job', job });
  }

  send(message: ToWorker): void {
    if (!this.isOver) this.process.send(message);
  }
}

/** Reports phases to the observer: each lasts until the first worker starts the next. @returns a function that ends the last one */
function showPhases(
  { phases, observer }: WorkerPoolOptions,
  pool: readonly Worker[],
  atMs: number,
): () => void {
  let shown = -1;
  const end = () => {
    if (shown >= 0) observer.phaseEnded();
  };
  for (const worker of pool)
    worker.onPhase = (n) => {
      const phase = phases[n];
      if (n <= shown || phase === undefined) return;
      end();
      shown = n;
      const startMs = performance.now() + Math.max(0, atMs - Date.now());
      observer.phaseStarted(createProgress(phase, startMs, () => sumLiveNumbers(pool)));
    };
  return end;
}

/** Percentiles of parts cannot be added up, so the sum has none until the histograms arrive at the end. */
function sumLiveNumbers(pool: readonly Worker[]): LiveNumbers {
  const sum = (name: keyof LiveNumbers) => sumOf(pool, ({ numbers }) => numbers?.[name] ?? 0);
  const [sent, errors, dropped, inFlight] = [sum('sent'), sum('errors'), sum('dropped'), sum('inFlight')];
  return { sent, errors, dropped, inFlight, p50Ms: Number.NaN, p99Ms: Number.NaN };
}
