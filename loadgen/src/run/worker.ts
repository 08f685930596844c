/** A worker: a process that sends one shard for its parent. The parent sends it the job and the start time over a channel. */
import { reasonOf } from '../common/errors.ts';
import { parseOrigin, type TlsOptions } from '../http/origin.ts';
import type { Shard } from '../load/shard.ts';
import type { Sent } from '../report/combine.ts';
import { type NamedPattern, planPatterns } from './patterns.ts';
import type { Overrides } from './plan.ts';
import type { LiveNumbers, SenderObserver } from './progress.ts';
import { createSender, waitUntil } from './sender.ts';

export interface Job {
  readonly target: string;
  readonly tls?: TlsOptions | undefined;
  readonly patterns: readonly NamedPattern[];
  readonly overrides: Overrides;
  readonly shard: Shard;
  readonly waitMs: number;
}

export type ToWorker =
  | { readonly kind: 'job'; readonly job: Job }
  /** Without a fixed time, a worker that is late starts later. */
  | { readonly kind: 'start'; readonly atMs: number; readonly isFixed: boolean }
  | { readonly kind: 'stop' };

export type FromWorker =
  | { readonly kind: 'ready' }
  /** Sent when a phase starts (numbered from 0), and repeatedly while it lasts. */
  | { readonly kind: 'progress'; readonly phase: number; readonly numbers: LiveNumbers }
  | { readonly kind: 'sent'; readonly sent: Sent }
  | { readonly kind: 'failed'; readonly reason: string };

/** The worker's end of the channel. When the other end closes, the worker exits, because its results would be lost. */
export interface Channel {
  send(message: FromWorker): void;
  onMessage(listener: (message: ToWorker) => void): void;
}

const REPORT_EVERY_MS = 200;

/** Resolves when the worker has sent everything, or has reported an error. */
export async function work(channel: Channel, signal: AbortSignal): Promise<void> {
  // A simple signal, because it is checked before each request, and checking a combined one costs ten times as much.
  const stop = new AbortController();
  signal.addEventListener('abort', () => stop.abort());
  const job = Promise.withResolvers<Job>();
  const start = Promise.withResolvers<{ readonly atMs: number; readonly isFixed: boolean }>();
  channel.onMessage((message) => {
    if (message.kind === 'job') job.resolve(message.job);
    else if (message.kind === 'start') start.resolve(message);
    else stop.abort();
  });
  try {
    signal.throwIfAborted();
    const { target, tls, patterns, overrides, shard, waitMs } = await job.promise;
    const sender = createSender({
      origin: parseOrigin(target, tls),
      phases: await planPatterns(patterns, overrides, shard),
      waitMs,
      observer: createObserver(channel),
      signal: stop.signal,
    });
    await sender.prepare();
    channel.send({ kind: 'ready' });
    const { atMs, isFixed } = await start.promise;
    if (!isFixed) await waitUntil(atMs, stop.signal);
    channel.send({ kind: 'sent', sent: await sender.send(isFixed ? atMs : undefined) });
  } catch (error) {
    channel.send({ kind: 'failed', reason: reasonOf(error) });
  }
}

function createObserver(channel: Channel): SenderObserver {
  let timer: NodeJS.Timeout | undefined;
  let phase = -1;
  return {
    note() {},
    phaseStarted({ numbers }) {
      phase++;
      const report = () => channel.send({ kind: 'progress', phase, numbers: numbers() });
      report();
      timer = setInterval(report, REPORT_EVERY_MS);
    },
    phaseEnded: () => clearInterval(timer),
  };
}
