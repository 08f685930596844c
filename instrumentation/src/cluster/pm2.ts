/**
 * The workers of PM2, presented as a cluster. In PM2's cluster mode its daemon is the primary and runs no application code,
 * but it passes messages between the workers and any process that is connected to it.
 */
import { EventEmitter } from 'node:events';
import { isMarked } from './messages.ts';

/** The part of a cluster's worker that this package uses. */
export interface WorkerLike {
  isConnected(): boolean;
  send(message: object, sent: () => void): unknown;
}

/** `node:cluster` in a primary, or the result of {@link pm2Cluster}. */
export interface ClusterLike extends Pick<EventEmitter, 'on' | 'off'> {
  readonly isPrimary: boolean;
  readonly workers?: Readonly<Record<string, WorkerLike | undefined>>;
}

/** The part of PM2's programming interface that this package uses. */
export interface Pm2 {
  connect(done: (error: unknown) => void): void;
  launchBus(done: (error: unknown, bus: Pm2Bus) => void): void;
  list(
    done: (error: unknown, processes: readonly { name?: string; pm_id?: number | string }[]) => void,
  ): void;
  sendDataToProcessId(packet: object, done: (error: unknown) => void): void;
}

interface Pm2Bus {
  on(
    event: 'process:msg',
    listener: (message: { raw?: unknown; process: { name: string; pm_id: number | string } }) => void,
  ): void;
}

/** How often to look for ended workers, and how long their last messages may take, in milliseconds. */
const LOOK_MS = 500;

/** @param name the application's name in PM2 @throws PM2's error when it cannot be reached */
export async function pm2Cluster(pm2: Pm2, name: string): Promise<ClusterLike> {
  const call = <T>(act: (done: (error: unknown, result: T) => void) => void) =>
    new Promise<T>((resolve, reject) => act((error, result) => (error ? reject(error) : resolve(result))));
  await call((done) => pm2.connect((error) => done(error, undefined)));
  const bus = await call<Pm2Bus>((done) => pm2.launchBus(done));
  const cluster = new EventEmitter();
  // Keyed by pid: during a reload, PM2 gives the number of the old process to the new one while both live.
  const workers = new Map<number, WorkerLike & { id: number | string; isAlive: boolean }>();
  const sender = (worker: { readonly id: number | string }): WorkerLike => ({
    isConnected: () => true,
    send: (message) =>
      pm2.sendDataToProcessId({ ...message, id: worker.id, topic: 'metrics', data: {} }, () => undefined),
  });
  bus.on('process:msg', ({ raw, process: { name: of, pm_id: id } }) => {
    const pid = isMarked(raw) ? Number((raw as { pid?: number }).pid ?? 0) : 0;
    if (of !== name || pid === 0) return;
    const known = { id, isAlive: true };
    const worker = workers.get(pid) ?? Object.assign(known, sender(known));
    worker.id = id;
    workers.set(pid, worker);
    cluster.emit('message', worker, raw);
  });
  setInterval(() => {
    for (const [pid, worker] of workers) {
      if (!worker.isAlive && workers.delete(pid)) cluster.emit('disconnect', worker);
      worker.isAlive = isRunning(pid);
    }
  }, LOOK_MS).unref();
  const all = (await call<Parameters<Parameters<Pm2['list']>[0]>[1]>((done) => pm2.list(done))).filter(
    (one) => one.name === name,
  );
  const running = Object.fromEntries(all.map(({ pm_id: id = 0 }) => [id, sender({ id })]));
  return Object.assign(cluster, { isPrimary: true, workers: running }) as ClusterLike;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
