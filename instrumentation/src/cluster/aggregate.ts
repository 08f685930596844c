/** The primary's side: one exposition for all workers of a cluster, or all threads of a process. */
import type { RequestListener, Server } from 'node:http';
import {
  BroadcastChannel,
  type MessagePort,
  receiveMessageOnPort,
  type Worker as Thread,
} from 'node:worker_threads';
import type { Family } from '../exposition/family.ts';
import { createExposition } from '../exposition/handler.ts';
import type { Registry } from '../installed-registry.ts';
import {
  type AnyRegistry,
  type Client,
  findClient,
  gather,
  registerMetric,
  registerNumber,
} from '../library.ts';
import { type ListenOptions, listen } from '../listen.ts';
import { createProcessMetrics } from '../metrics/process.ts';
import { createScrapeMetrics } from '../metrics/scrapes.ts';
import { createLastScrape, type LastScrapeOptions } from '../shutdown/last-scrape.ts';
import { Members, type Peer } from './members.ts';
import { channelName, type FromWorker, isMessage, nowMs } from './messages.ts';
import { type AggregateOptions, resolveAggregateOptions } from './options.ts';
import type { ClusterLike, WorkerLike } from './pm2.ts';
import { RequestTotals } from './request-totals.ts';
import { SampleTotals } from './sample-totals.ts';

export type { AggregateOptions } from './options.ts';
export { type ClusterLike, type Pm2, pm2Cluster, type WorkerLike } from './pm2.ts';

/** The metrics of all workers. */
export interface Aggregate {
  /** The registry of the primary itself, for its own metrics. Workers register their metrics with their own applications. */
  readonly registry: Registry;
  /** Answers with the exposition on any path where it is mounted. */
  readonly handler: RequestListener;
  /** Like `listen` of an application's metrics. */
  listen(port: number, options?: string | ListenOptions): Server;
  /** Like `lastScrape` of an application's metrics: call it when all workers have ended and the primary is about to exit. */
  lastScrape(options: LastScrapeOptions): Promise<boolean>;
  /** Adds a thread, such as one that replaces another. */
  add(thread: Thread): void;
  /** Stops watching the workers and closes the servers of `listen`. */
  close(): void;
}

/**
 * Adds up what the instrumented applications of `workers` (a cluster or threads) count. Counts from before this call are
 * included, and counts survive the end of their worker.
 * @throws TypeError when `workers` is neither, or an option is wrong; Error when no client library is installed
 */
export function aggregate(
  workers: ClusterLike | readonly Thread[],
  options: AggregateOptions = {},
): Aggregate {
  const isOfThreads = Array.isArray(workers);
  const settings = resolveAggregateOptions(workers, options);
  const { prefix, maxScrapes, warn } = settings;
  const client = findClient(options.registry, warn);
  const requests = new RequestTotals(client, warn);
  const samples = new SampleTotals();
  const members = new Members(nowMs(), settings.reportIntervalMs, requests, samples);
  const registry: AnyRegistry = options.registry ?? new client.Registry();
  // Not the user's registry, because that may be reused after `close`.
  const ours = new client.Registry();
  registerMembers(ours, members, prefix);
  const lastScrape = createLastScrape(ours, prefix);
  const gatherAll = async () => {
    await members.ask(settings.answerTimeoutMs);
    const own = processes ? await gather(processes.registry) : [];
    const all = [requests.read(), samples.read(), own.map(ofPrimary), gather(ours), gather(registry)];
    return joinFamilies((await Promise.all(all)).flat());
  };
  const onScrape = createScrapeMetrics(ours, prefix);
  const processes = settings.defaultMetrics ? openProcessMetrics(client, prefix) : undefined;
  const servers: Server[] = [];
  const threads = new Set<() => void>();
  const leave = isOfThreads ? () => {} : joinCluster(workers as ClusterLike, members);
  const add = (thread: Thread) => void threads.add(joinThread(thread, members));
  if (isOfThreads) for (const thread of workers) add(thread);

  const createHandler = (): RequestListener => {
    const exposition = createExposition(gatherAll, { maxScrapes, onScrape });
    return (request, response) => {
      lastScrape.watch(request, response);
      exposition(request, response);
    };
  };
  return {
    registry: registry as unknown as Registry,
    handler: createHandler(),
    listen(port, listenOptions = {}) {
      const server = listen(createHandler(), port, listenOptions, warn);
      servers.push(server);
      return server;
    },
    lastScrape: lastScrape.wait,
    add,
    close() {
      leave();
      for (const leaveThread of threads) leaveThread();
      processes?.release();
      for (const server of servers) server.close();
    },
  };
}

function openProcessMetrics(client: Client, prefix: string) {
  const registry = new client.Registry();
  return { registry, release: createProcessMetrics(registry, client, prefix) };
}

/** Labels all but the start time: all sums began with the primary, and readers take its start for that of the counters. */
const ofPrimary = (family: Family): Family => ({
  ...family,
  values: family.name.endsWith('process_start_time_seconds')
    ? family.values
    : family.values.map((sample) => ({ ...sample, labels: { ...sample.labels, worker: 'primary' } })),
});

/** Merges families of one name: applications may differ in their labels, and the primary exposes process metrics, too. */
function joinFamilies(families: readonly Family[]): Family[] {
  const byName = new Map<string, Family>();
  for (const family of families) {
    const { name, help, type, values } = byName.get(family.name) ?? { ...family, values: undefined };
    byName.set(name, values ? { name, help, type, values: [...values, ...family.values] } : family);
  }
  return [...byName.values()];
}

function registerMembers(registry: AnyRegistry, members: Members, prefix: string): void {
  const name = (rest: string) => `${prefix}http_server_worker${rest}`;
  registerNumber(
    registry,
    { name: name('s'), help: 'Number of workers that report', type: 'gauge' },
    () => members.ages().length,
  );
  registerMetric(
    registry,
    {
      name: name('_report_age_seconds'),
      help: 'Age of the last report of a worker, in seconds',
      type: 'gauge',
    },
    () => members.ages().map(({ worker, seconds }) => ({ labels: { worker }, value: seconds })),
  );
  registerNumber(
    registry,
    {
      name: name('_lost_reports_total'),
      help: 'Total number of workers that ended without a final report, for example killed or out of memory',
      type: 'counter',
    },
    () => members.lost,
  );
  registerNumber(
    registry,
    {
      name: name('_lost_seconds_total'),
      help: 'Total time from the last report to the end of such workers, in seconds: requests counted in it are lost',
      type: 'counter',
    },
    () => members.lostSeconds,
  );
}

/** How often to check, in milliseconds, whether the last messages of an ended worker have arrived. */
const CHECK_MS = 10;

/** @returns a function that stops watching the worker */
function joinCluster(cluster: ClusterLike, members: Members): () => void {
  const peers = new WeakMap<WorkerLike, Peer>();
  const peerOf = (worker: WorkerLike) => {
    // Sending to a worker that is ending is not an error.
    const peer = peers.get(worker) ?? {
      send: (message) => worker.isConnected() && worker.send(message, () => {}),
    };
    peers.set(worker, peer);
    return peer;
  };
  const onMessage = (worker: WorkerLike, message: unknown) => {
    if (isMessage(message)) members.receive(peerOf(worker), message as FromWorker);
  };
  const onDisconnect = (worker: WorkerLike) => members.end(peerOf(worker));
  // A worker that dies while it is given a connection emits no `disconnect`; its last messages precede its disconnection.
  const onExit = (worker: WorkerLike) => {
    if (worker.isConnected()) setTimeout(onExit, CHECK_MS, worker);
    else onDisconnect(worker);
  };
  cluster.on('message', onMessage).on('disconnect', onDisconnect).on('exit', onExit);
  for (const worker of Object.values(cluster.workers ?? {})) if (worker) members.greet(peerOf(worker));
  return () => cluster.off('message', onMessage).off('disconnect', onDisconnect).off('exit', onExit);
}

/** @returns a function that stops watching the thread */
function joinThread(thread: Thread, members: Members): () => void {
  const channel = new BroadcastChannel(channelName(thread.threadId));
  const peer: Peer = { send: (message) => channel.postMessage(message) };
  const receive = (message: unknown) => {
    if (isMessage(message)) members.receive(peer, message as FromWorker);
  };
  channel.onmessage = (event: unknown) => receive((event as { data: unknown }).data);
  channel.unref();
  const onExit = () => {
    // Its last messages may still be on the way. (The types do not know that this function takes such a channel.)
    const port = channel as unknown as MessagePort;
    for (let left = receiveMessageOnPort(port); left; left = receiveMessageOnPort(port))
      receive(left.message);
    members.end(peer);
    channel.close();
  };
  thread.once('exit', onExit);
  members.greet(peer);
  return () => {
    thread.off('exit', onExit);
    channel.close();
  };
}
