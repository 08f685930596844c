/** The primary's side: one exposition for all workers of a cluster, or all threads of a process. */
import type { RequestListener } from 'node:http';
import {
  BroadcastChannel,
  type MessagePort,
  receiveMessageOnPort,
  type Worker as Thread,
} from 'node:worker_threads';
import { createEndpoint, type Endpoint } from '../endpoint.ts';
import type { Family } from '../exposition/family.ts';
import { toLabelsText } from '../exposition/text.ts';
import type { Registry } from '../installed-registry.ts';
import { type AnyRegistry, findClient, gather, type Metric, metricsOf, registerMetric } from '../library.ts';
import { createProcessMetrics } from '../metrics/process.ts';
import { Members } from './members.ts';
import { channelName, type FromWorker, isMarked, mark } from './messages.ts';
import { type AggregateOptions, resolveAggregateOptions } from './options.ts';
import type { ClusterLike, WorkerLike } from './pm2.ts';
import { Readings } from './readings.ts';
import type { SampleTotals } from './sample-totals.ts';

export type { AggregateOptions } from './options.ts';
export { type ClusterLike, type Pm2, pm2Cluster, type WorkerLike } from './pm2.ts';

/** The metrics of all workers. Call `lastScrape` when all workers have ended and the primary is about to exit. */
export interface Aggregate<R extends AnyRegistry = Registry> extends Pick<Endpoint, 'listen' | 'lastScrape'> {
  /** The registry of the primary itself, for its own metrics. Workers register their metrics with their own applications. */
  readonly registry: R;
  /** Serves the exposition on any path where it is mounted. */
  readonly handler: RequestListener;
  /** Adds a thread, such as one that replaces another. @throws Error when another aggregate already has it */
  add(thread: Thread): void;
  /** Stops watching the workers and closes the servers of `listen`. */
  close(): void;
}

/** A worker, or the channel of a thread. */
type Peer = WorkerLike | BroadcastChannel;

/** The clusters and threads of open aggregates, of all copies of this package: a worker reports to only one of them. */
const KEY: unique symbol = Symbol.for('express-exact-metrics: aggregated');
const shared = globalThis as { [KEY]?: WeakSet<object> };
shared[KEY] ??= new WeakSet();
const aggregated = shared[KEY];

/**
 * Adds up the counts of the instrumented applications in `workers` (a cluster or threads). Counts from before this call are
 * included, and counts survive the end of their worker.
 * @throws TypeError when `workers` is neither or an option is invalid; Error when another aggregate has these workers and is
 * not closed, or no client library is installed
 */
export function aggregate<R extends AnyRegistry = Registry>(
  workers: ClusterLike | readonly Thread[],
  options: AggregateOptions<R> = {},
): Aggregate<R> {
  const settings = resolveAggregateOptions(workers, options);
  const all = 'on' in workers ? [workers] : workers;
  all.forEach(checkFree);
  const { prefix, reportIntervalMs, warn } = settings;
  const client = findClient(options.registry, warn);
  const registry: AnyRegistry = options.registry ?? new client.Registry();
  // Separate registries, because the user's registry may be reused after `close`.
  const [ours, ofProcess] = [new client.Registry(), new client.Registry()];
  const members = new Members<Peer>(
    (worker, message) => {
      if (worker instanceof BroadcastChannel) worker.postMessage(message);
      // Sending to a worker that is ending is not an error.
      else if (worker.isConnected()) worker.send(mark(message), () => {});
    },
    reportIntervalMs,
    warn,
  );
  registerMembers(ours, members, prefix);
  const readOwn = joinOwn(registry, members.samples);
  const endpoint = createEndpoint(ours, settings, async () => {
    await members.ask(settings.answerTimeoutMs);
    const own = [...(await gather(ofProcess)).map(ofPrimary), ...(await gather(ours))];
    const others = await readOwn(new Set(own.map(({ name }) => name)));
    return joinFamilies([...members.read(), ...own, ...others]);
  });
  /** The watched cluster or threads, and the process metrics, each with the function that ends this. */
  const joined = new Map<object, () => void>();
  if (settings.defaultMetrics) joined.set(ofProcess, createProcessMetrics(ofProcess, client, prefix));
  const forget = (one: object) => {
    joined.delete(one);
    aggregated.delete(one);
  };
  const add = (one: ClusterLike | Thread) => {
    // A thread that has ended has no number.
    if (joined.has(one) || ('threadId' in one && one.threadId < 0)) return;
    checkFree(one);
    aggregated.add(one);
    joined.set(
      one,
      'threadId' in one ? joinThread(one, members, () => forget(one)) : joinCluster(one, members),
    );
  };
  all.forEach(add);
  return {
    registry: registry as R,
    handler: endpoint.createHandler(),
    listen: endpoint.listen,
    lastScrape: endpoint.lastScrape,
    add,
    close() {
      for (const [one, leave] of joined) {
        forget(one);
        leave();
      }
      endpoint.close();
    },
  };
}

function checkFree(workers: object): void {
  if (aggregated.has(workers))
    throw new Error('aggregate: workers: expected none of another aggregate; close that one first');
}

/** Labels all values except the start time. All sums began with the primary, and readers use its start time for the counters. */
const ofPrimary = (family: Family): Family => ({
  ...family,
  values: family.name.endsWith('process_start_time_seconds')
    ? family.values
    : family.values.map((sample) => ({ ...sample, labels: { ...sample.labels, worker: 'primary' } })),
});

/**
 * Counts the primary's own metrics like those of a worker if workers have them, too; returns the families of all others.
 * @throws Error that names a metric whose collector failed
 */
function joinOwn(registry: AnyRegistry, samples: SampleTotals) {
  const totals = samples.open(0);
  let shared: readonly Metric[] = [];
  const readings = new Readings(
    () => shared.map((metric) => ({ registry, metric, isOfProcess: false })),
    (reports) => reports.forEach(totals.add),
  );
  return async (taken: ReadonlySet<string>): Promise<readonly Family[]> => {
    // An application that the primary instruments in this registry also registers the metrics of its process.
    const own = metricsOf(registry).filter(({ name }) => !taken.has(name));
    shared = own.filter(({ name }) => samples.has(name));
    const failure = await readings.read(true);
    if (failure !== undefined) throw new Error(failure);
    return gather(
      registry,
      own.filter((metric) => !shared.includes(metric)),
    );
  };
}

/** Merges families with the same name: applications may differ in their labels, and the primary also exposes process metrics. */
function joinFamilies(families: readonly Family[]): Family[] {
  const byName = new Map<string, Family>();
  for (const family of families) {
    const known = byName.get(family.name);
    byName.set(family.name, known ? addFamily(known, family) : family);
  }
  return [...byName.values()];
}

/** Adds the values of a series that both families have; such a series has no native histogram. */
function addFamily({ name, help, type, values }: Family, other: Family): Family {
  const keyOf = ({ metricName, labels = {} }: Family['values'][number]) =>
    `${metricName}${toLabelsText(labels)}`;
  const all = new Map(values.map((sample) => [keyOf(sample), sample]));
  for (const sample of other.values) {
    const key = keyOf(sample);
    const known = all.get(key);
    all.set(key, known ? { ...known, value: known.value + sample.value, native: undefined } : sample);
  }
  return { name, help, type, values: [...all.values()] };
}

function registerMembers(registry: AnyRegistry, members: Members<Peer>, prefix: string): void {
  const register = (
    type: 'counter' | 'gauge',
    name: string,
    help: string,
    read: Parameters<typeof registerMetric>[2],
  ) => registerMetric(registry, { name: `${prefix}http_server_worker${name}`, help, type }, read);
  register('gauge', 's', 'Number of workers that report', () => members.ages().length);
  register('gauge', '_report_age_seconds', 'Age of the last report of a worker, in seconds', () =>
    members.ages(),
  );
  register(
    'counter',
    '_lost_reports_total',
    'Total number of workers that ended without a final report, for example killed or out of memory',
    () => members.lost,
  );
  register(
    'counter',
    '_lost_seconds_total',
    'Total time from the last report to the end of such workers, in seconds: requests counted in it are lost',
    () => members.lostSeconds,
  );
}

/** How often to check, in milliseconds, whether the last messages of an ended worker have arrived. */
const CHECK_MS = 10;

/** @returns a function that stops watching the workers */
function joinCluster(cluster: ClusterLike, members: Members<Peer>): () => void {
  const onMessage = (worker: WorkerLike, message: unknown) => {
    if (isMarked(message)) members.receive(worker, message as FromWorker);
  };
  const onDisconnect = (worker: WorkerLike) => members.end(worker);
  // A worker that dies while it receives a connection emits no `disconnect`. Its last messages arrive before it
  // disconnects.
  const onExit = (worker: WorkerLike) => {
    if (worker.isConnected()) setTimeout(onExit, CHECK_MS, worker);
    else onDisconnect(worker);
  };
  cluster.on('message', onMessage).on('disconnect', onDisconnect).on('exit', onExit);
  for (const worker of Object.values(cluster.workers ?? {})) if (worker) members.greet(worker);
  return () => cluster.off('message', onMessage).off('disconnect', onDisconnect).off('exit', onExit);
}

/** @returns a function that stops watching the thread */
function joinThread(thread: Thread, members: Members<Peer>, onEnd: () => void): () => void {
  const channel = new BroadcastChannel(channelName(thread.threadId));
  const receive = (message: unknown) => members.receive(channel, message as FromWorker);
  channel.onmessage = (event: unknown) => receive((event as { data: unknown }).data);
  channel.unref();
  const onExit = () => {
    // The thread's last messages may still be in transit. (Node's types do not declare that this function accepts such a
    // channel.)
    const port = channel as unknown as MessagePort;
    for (let left = receiveMessageOnPort(port); left; left = receiveMessageOnPort(port))
      receive(left.message);
    members.end(channel);
    channel.close();
    onEnd();
  };
  thread.once('exit', onExit);
  members.greet(channel);
  return () => {
    thread.off('exit', onExit);
    channel.close();
  };
}
