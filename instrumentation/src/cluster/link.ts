/** A worker's channel to its primary: IPC for a process, and a separate channel, not the application's, for a thread. */
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads';
import { watchEndOfProcess } from './end.ts';
import { channelName, type FromWorker, isMarked, mark, type ToWorker } from './messages.ts';

export interface Link {
  /** @param sent called when the operating system has accepted the message, or when it cannot be sent */
  send(message: FromWorker, sent: () => void): void;
  listen(receive: (message: ToWorker) => void): void;
  /**
   * @param handOver awaited before the worker ends, if its end can be delayed
   * @param now called at the very last moment
   */
  watchEnd(handOver: () => Promise<void>, now: () => void): void;
  /**
   * Matches the default metrics that each worker reports: not the start time, because sums began earlier, and not the
   * metrics that threads share (CPU, memory).
   */
  readonly processMetrics: RegExp;
}

export const createLink = (): Link => (isMainThread ? createProcessLink() : createThreadLink());

const createProcessLink = (): Link => ({
  processMetrics: /^(process_(?!start_time)|nodejs_)/,
  send(message, sent) {
    if (!process.connected) return sent();
    // Includes the pid, because PM2 forwards messages without naming their sender.
    process.send?.({ ...mark(message), pid: process.pid }, undefined, undefined, sent);
  },
  listen: (receive) =>
    void process.on('message', (message) => isMarked(message) && receive(message as ToWorker)),
  watchEnd: watchEndOfProcess,
});

function createThreadLink(): Link {
  const channel = new BroadcastChannel(channelName(threadId));
  return {
    processMetrics: /^nodejs_/,
    send(message, sent) {
      channel.postMessage(message);
      sent();
    },
    listen(receive) {
      channel.onmessage = (event: unknown) => receive((event as { data: ToWorker }).data);
      channel.unref();
    },
    watchEnd: (_handOver, now) => process.on('exit', now),
  };
}
