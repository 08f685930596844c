/** The API as several processes that share its port. The primary accepts the connections and exposes the metrics of all workers. */
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

/** The time after the grace period for a worker to abort requests, send its counts and exit, in milliseconds. */
const WORKER_END_MS = 3_000;
const CHECK_MS = 20;

/**
 * Starts `API_WORKERS` workers: this program with `METRICS_RELAY_PORT`. A worker that exits is replaced.
 * @throws Error with the port on which it cannot listen, or if a worker did not start (the worker logs the reason)
 */
export async function startPrimary(config: Config, log: Logger): Promise<Service> {
  const aggregated = aggregate(cluster, { registry: new Registry() });
  const serving = new Set<number>();
  let ready = false;
  const isReady = () => ready && serving.size > 0;
  const metricsServer = harden(aggregated.listen(config.METRICS_PORT, { isReady }));
  const metricsPort = await listening(metricsServer, config.METRICS_PORT, 'the metrics server');
  // A separate handler from that of the metrics port: clients of the API must not use up the scrapes that Prometheus needs.
  const relay = createServer(aggregated.handler).listen(0, '127.0.0.1');
  const METRICS_RELAY_PORT = await listening(relay, 0, 'the metrics relay');

  let apiPort = config.API_PORT;
  cluster.on('listening', ({ id }, { port }) => {
    serving.add(id);
    apiPort = port;
  });
  cluster.on('exit', ({ id, process: { pid } }, code, signal) => {
    serving.delete(id);
    if (!ready) return;
    log.error({ worker: pid, code, signal }, 'a worker exited; starting a replacement');
    cluster.fork({ METRICS_RELAY_PORT });
  });
  const start = async () => {
    const worker = cluster.fork({ METRICS_RELAY_PORT });
    const failed = once(worker, 'exit').then(() => Promise.reject(new Error('a worker did not start')));
    await Promise.race([once(worker, 'listening'), failed]);
  };
  // Starts one worker first, so that a port in use is reported only once.
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

/** @returns whether all workers exited within `timeoutMs` without being killed */
async function endWorkers(timeoutMs: number): Promise<boolean> {
  const workers = Object.values(cluster.workers ?? {}).flatMap((worker) => worker ?? []);
  const end = (signal: NodeJS.Signals) => {
    for (const worker of workers) worker.process.kill(signal);
  };
  end('SIGTERM');
  const deadlineMs = performance.now() + timeoutMs;
  let inTime = true;
  // Waits for the disconnect too: the last messages of a worker may arrive after its exit.
  while (workers.some((worker) => !worker.isDead() || worker.isConnected())) {
    if (inTime && performance.now() > deadlineMs) {
      inTime = false;
      end('SIGKILL');
    }
    await delay(CHECK_MS);
  }
  return inTime;
}
