/**
 * How an application finds the aggregate of its cluster, or of its threads, by itself. Only in a worker of one is `cluster/`
 * loaded, and loaded rather than imported: a server of one process never has it, and nothing else may import it.
 */
import type { Cluster } from 'node:cluster';
import { isMainThread } from 'node:worker_threads';
import type { Joined, Source } from './cluster/source.ts';

/** What makes the routes of now known. */
export interface Routes {
  refresh(): void;
}

/**
 * @param routes are not kept: an application that is dropped is freed
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

/** Node's `cluster` is loaded only where there is a parent to speak to: some application servers do not bear it. */
function isClusterWorker(): boolean {
  if (!process.connected) return false;
  const cluster = process.getBuiltinModule('node:cluster') as unknown as Cluster;
  return cluster.isWorker;
}
