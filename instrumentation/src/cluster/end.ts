/** The ways in which a worker process can end, and what runs before each of them. Nothing can run before a SIGKILL. */

import cluster from 'node:cluster';
import { within } from '../within.ts';

/** How long an end waits, in milliseconds, for a primary that reads no messages, for example because it is stopped. */
const HAND_OVER_MS = 2_000;

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** See `watchEnd` of a link. */
export function watchEndOfProcess(handOver: () => Promise<void>, now: () => void): void {
  process.on('exit', now);
  const end = (then: () => void) =>
    void within(HAND_OVER_MS, handOver(), () => undefined).finally(() => {
      now();
      then();
    });
  watchDisconnect(end, now);
  for (const signal of SIGNALS) watchSignal(signal, end);
}

/** Node closes a worker's servers, waits for their requests, and then calls this. */
function watchDisconnect(end: (then: () => void) => void, now: () => void): void {
  const { disconnect } = process;
  process.disconnect = () => {
    process.disconnect = disconnect;
    if (cluster.worker?.exitedAfterDisconnect) {
      end(() => {
        if (process.connected && process.channel) disconnect.call(process);
      });
      return;
    }
    // Either the primary has ended, or the application disconnects a worker that will keep running.
    now();
    disconnect.call(process);
  };
}

/**
 * Without a listener, a signal ends the process immediately. This listener first sends the last report and then lets the
 * signal end the process. It is removed when the application adds a listener, because some packages count the listeners to
 * find out whether theirs is the only one.
 */
function watchSignal(signal: NodeJS.Signals, end: (then: () => void) => void): void {
  const listener = () =>
    end(() => {
      process.off(signal, listener);
      process.kill(process.pid, signal);
    });
  const listenIfAlone = () => {
    if (process.listenerCount(signal) === 0) process.on(signal, listener);
  };
  listenIfAlone();
  process.on('newListener', (event, added) => {
    if (event !== signal || added === listener) return;
    // Deferred until the new listener has been added: without any listener, Node would stop watching the signal.
    process.nextTick(() => {
      if (process.listenerCount(signal) > 1) process.off(signal, listener);
    });
  });
  process.on('removeListener', (event, removed) => {
    if (event === signal && removed !== listener) listenIfAlone();
  });
}
