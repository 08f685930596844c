/** The API as several processes that share its port. This one accepts the connections, and has the metrics of all. */
import cluster from 'node:cluster';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Registry } from '@prometheus-io/client';
import { aggregate } from 'express-exact-metrics/cluster';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { close } from './drain.ts';
import { createServer, harden, listening } from './server.ts';
import { METRICS_GRACE_MS, type Service } from './service.ts';

/** After the grace time, what a worker needs to cut its requests, hand over its counts and end, in milliseconds. */
const WORKER_END_MS = 3_000;
const CHECK_MS = 20;

/**
 * Starts `API_WORKERS` workers: this program again, with `METRICS_RELAY_PORT`. One that ends is replaced.
 * @throws Error that names the port which cannot be listened on; where a worker has said why it did not start
 */
export async function startPrimary(config: Config, log: Logger): Promise<Service> {
  const aggregated = aggregate(cluster, { registry: new Registry() });
  const serving = new Set<number>();
  let ready = false;
  const isReady = () => ready && serving.size > 0;
  const metricsServer = harden(aggregated.listen(config.METRICS_PORT, { isReady }));
  const metricsPort = await listening(metricsServer, config.METRICS_PORT, 'the metrics server');
  // Another handler than that of the metrics port: clients of the API must not use up the scrapes that Prometheus needs.
  const relay = createServer(aggregated.handler).listen(0, '127.0.0.1');
  const METRICS_RELAY_PORT = await listening(relay, 0, 'the relay of metrics');

  let apiPort = config.API_PORT;
  cluster.on('listening', ({ id }, { port }) => {
    serving.add(id);
    apiPort = port;
  });
  cluster.on('exit', ({ id, process: { pid } }, code, signal) => {
    serving.delete(id);
    if (!ready) return;
    log.error({ worker: pid, code, signal }, 'a worker has ended; another one takes its place');
    cluster.fork({ METRICS_RELAY_PORT });
  });
  const start = async () => {
    const worker = cluster.fork({ METRICS_RELAY_PORT });
    const failed = once(worker, 'exit').then(() => Promise.reject(new Error('a worker did not start')));
    await Promise.race([once(worker, 'listening'), failed]);
  };
  // Alone, so that a port that is taken is reported once.
  await start();
  await Promise.all(Array.from({ length: config.API_WORKERS - 1 }, start));
  ready = true;
  return {
    apiPort,
    metricsPort,
    async stop() {
      ready = false;
      const drained = await endWorkers(config.SHUTDOWN_GRACE_MS + WORKER_END_MS);
      const timeoutMs = config.SHUTDOWN_SCRAPE_WAIT_MS;
      log.info({ scrapeWaitMs: timeoutMs }, 'drained');
      const scraped = timeoutMs === 0 ? undefined : await aggregated.lastScrape({ timeoutMs });
      relay.close();
      await close(metricsServer, METRICS_GRACE_MS);
      return { drained, scraped };
    },
  };
}

/** @returns whether all ended by themselves, which takes no longer than `timeoutMs` */
async function endWorkers(timeoutMs: number): Promise<boolean> {
  const workers = Object.values(cluster.workers ?? {}).flatMap((worker) => worker ?? []);
  const end = (signal: NodeJS.Signals) => {
    for (const worker of workers) worker.process.kill(signal);
  };
  end('SIGTERM');
  const deadlineMs = performance.now() + timeoutMs;
  let inTime = true;
  // Also connected: what a worker has sent last may still be on its way when it has ended.
  while (workers.some((worker) => !worker.isDead() || worker.isConnected())) {
    if (inTime && performance.now() > deadlineMs) {
      inTime = false;
      end('SIGKILL');
    }
    await delay(CHECK_MS);
  }
  return inTime;
}
