/**
 * How an application finds the aggregate of its cluster or threads. Only a worker loads `cluster/`, and by `require` instead of
 * `import`, so that a server of one process never loads it. No other file may import `cluster/`.
 */
import type { Cluster } from 'node:cluster';
import { isMainThread } from 'node:worker_threads';
import type { Joined, Source } from './cluster/source.ts';

/** Discovers the routes that exist now. */
export interface Routes {
  refresh(): void;
}

/**
 * @param routes is not retained, so that a dropped application can be freed
 * @returns undefined in a process that is no worker
 */
export function joinAggregate(
  source: Source,
  routes: Routes,
  warn: (message: string) => void,
): Joined | undefined {
  if (isMainThread && !isClusterWorker()) return undefined;
  const weak = new WeakRef(routes);
  const joined = import('./cluster/reporter.ts').then(({ reporterOfProcess }) =>
    reporterOfProcess().add(source, () => weak.deref()?.refresh()),
  );
  joined.catch((error: unknown) => warn(`this worker cannot report to the primary: ${error}`));
  const then = (act: (aggregate: Joined) => void) => void joined.then(act, () => undefined);
  return {
    handOver: (done) => then(({ handOver }) => handOver(done)),
    leave: () => then(({ leave }) => leave()),
  };
}

/** Loads Node's `cluster` only if there is a parent process: some application servers do not tolerate it. */
function isClusterWorker(): boolean {
  if (!process.connected) return false;
  const cluster = process.getBuiltinModule('node:cluster') as unknown as Cluster;
  return cluster.isWorker;
}
