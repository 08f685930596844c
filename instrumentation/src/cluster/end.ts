/** How a worker process can end, and what runs before each end. SIGKILL leaves no time for anything. */

import cluster from 'node:cluster';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Like `watchEnd` of a link. */
export function watchEndOfProcess(handOver: () => Promise<void>, now: () => void): void {
  process.on('exit', now);
  const end = (then: () => void) =>
    void handOver().finally(() => {
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
    // Either the primary has ended, or the application disconnects a worker that is not to end.
    now();
    disconnect.call(process);
  };
}

/**
 * A signal without a listener ends a process at once. This listener sends the last report first and then lets the signal
 * end the process. It is removed when the application adds its own: other packages count listeners to see whether they are alone.
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
    // Only after the new listener was added: without any listener, Node would stop watching the signal.
    process.nextTick(() => {
      if (process.listenerCount(signal) > 1) process.off(signal, listener);
    });
  });
  process.on('removeListener', (event, removed) => {
    if (event === signal && removed !== listener) listenIfAlone();
  });
}
