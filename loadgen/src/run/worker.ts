/** A worker: a process that sends one shard for another process, which tells it over a channel what and when. */
import { reasonOf } from '../common/errors.ts';
import { parseOrigin } from '../http/origin.ts';
import type { Shard } from '../load/shard.ts';
import type { Pattern } from '../pattern/pattern.ts';
import type { Report } from '../report/report.ts';
import { type Overrides, planPhase } from './plan.ts';
import type { Progress, Snapshot } from './progress.ts';
import { createSender, type SenderObserver } from './sender.ts';

export interface NamedPattern {
  readonly name: string;
  readonly pattern: Pattern;
}

export interface Order {
  readonly target: string;
  readonly patterns: readonly NamedPattern[];
  readonly overrides: Overrides;
  readonly shard: Shard;
  readonly waitMs: number;
}

export type ToWorker =
  | { readonly kind: 'order'; readonly order: Order }
  | { readonly kind: 'start'; readonly atMs: number; readonly started: Report }
  | { readonly kind: 'stop' };

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'phase-started' }
  | { readonly kind: 'progress'; readonly snapshot: Snapshot }
  | { readonly kind: 'phase-ended' }
  | { readonly kind: 'sent'; readonly report: Report }
  | { readonly kind: 'failed'; readonly reason: string };

/** The worker's end of the channel. When the other end closes, the worker's process ends: nothing it does counts any more. */
export interface Channel {
  send(message: FromWorker): void;
  onMessage(listener: (message: ToWorker) => void): void;
}

const TELL_EVERY_MS = 200;

/** @returns when it has sent all, or has told why not */
export async function work(channel: Channel, signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const inbox = createInbox(channel, () => stop.abort());
  try {
    const { target, patterns, overrides, shard, waitMs } = await inbox.order;
    const sender = createSender({
      origin: parseOrigin(target),
      phases: patterns.map(({ name, pattern }) => planPhase(name, pattern, overrides, shard)),
      waitMs,
      observer: createTeller(channel),
      signal: AbortSignal.any([signal, stop.signal]),
    });
    await sender.prepare();
    channel.send({ kind: 'ready' });
    const { atMs, started } = await inbox.start;
    channel.send({ kind: 'sent', report: await sender.send(atMs, { ...started, shard }) });
  } catch (error) {
    channel.send({ kind: 'failed', reason: reasonOf(error) });
  }
}

function createInbox(channel: Channel, onStop: () => void) {
  const order = Promise.withResolvers<Order>();
  const start = Promise.withResolvers<{ atMs: number; started: Report }>();
  channel.onMessage((message) => {
    if (message.kind === 'order') order.resolve(message.order);
    else if (message.kind === 'start') start.resolve(message);
    else onStop();
  });
  return { order: order.promise, start: start.promise };
}

function createTeller(channel: Channel): SenderObserver {
  let timer: NodeJS.Timeout | undefined;
  return {
    note() {},
    phaseStarted({ snapshot }: Progress) {
      channel.send({ kind: 'phase-started' });
      timer = setInterval(() => channel.send({ kind: 'progress', snapshot: snapshot() }), TELL_EVERY_MS);
    },
    phaseEnded() {
      clearInterval(timer);
      channel.send({ kind: 'phase-ended' });
    },
  };
}
