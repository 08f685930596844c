/**
 * How an application finds the aggregate of its cluster or threads. Only a worker loads `cluster/`, and only dynamically,
 * so that a single-process server never loads it. No other file may import `cluster/`.
 */
import type { Cluster } from 'node:cluster';
import { isMainThread } from 'node:worker_threads';
import type { Joined, Source } from './cluster/source.ts';

/**
 * @param routes not retained, so that a dropped application can be freed
 * @returns undefined in a process that is not a worker
 */
export function joinAggregate(
  source: Omit<Source, 'refresh'>,
  routes: Pick<Source, 'refresh'>,
  warn: (message: string) => void,
): Joined | undefined {
  if (isMainThread && !isClusterWorker()) return undefined;
  const weak = new WeakRef(routes);
  const joined = import('./cluster/reporter.ts')
    .then(({ reporterOfProcess }) =>
      reporterOfProcess().add({ ...source, refresh: () => weak.deref()?.refresh() }),
    )
    .catch((error: unknown) => void warn(`this worker cannot report to the primary: ${error}`));
  return {
    handOver: (done) => void joined.then((one) => one?.handOver(done)),
    leave: () => void joined.then((one) => one?.leave()),
  };
}

/** Loads Node's `cluster` only if there is a parent process: some application servers do not tolerate it. */
function isClusterWorker(): boolean {
  if (!process.connected) return false;
  const cluster = process.getBuiltinModule('node:cluster') as unknown as Cluster;
  return cluster.isWorker;
}
