/** The ends of a worker that is a process, and what is done before each. One that is killed has none. */

import cluster from 'node:cluster';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** As `watchEnd` of a link. */
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
    // The primary has gone, which Node itself has found out, or the application does not say why.
    now();
    disconnect.call(process);
  };
}

/**
 * A signal ends a process at once where nothing listens to it; then this does, and lets it go on. As soon as the application
 * listens itself, the signal is its own: other packages, too, count the listeners to find out whether they are alone.
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
