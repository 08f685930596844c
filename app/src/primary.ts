/** The API as several processes that share its port. The primary accepts the connections and exposes the metrics of all workers. */
import cluster from 'node:cluster';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Registry } from '@prometheus-io/client';
import { aggregate } from 'express-exact-metrics/cluster';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { createServer, harden, listening } from './server.ts';
import { endMetrics, type Service } from './service.ts';

/** How long a worker may take after the grace period to abort requests, send its counts and exit, in milliseconds. */
const WORKER_END_MS = 3_000;
const CHECK_MS = 20;
/** The delay before replacing a worker that never listened, in milliseconds; it doubles up to the second value. */
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 10_000;

/**
 * Starts `API_WORKERS` workers: this program with `METRICS_RELAY_PORT`. A worker that exits is replaced.
 * @throws Error that names the port on which it cannot listen, or if a worker did not start (the worker logs the reason)
 */
export async function startPrimary(config: Config, log: Logger): Promise<Service> {
  const aggregated = aggregate(cluster, { registry: new Registry() });
  const serving = new Set<number>();
  let state: 'starting' | 'running' | 'stopping' = 'starting';
  let delayMs = 0;
  const isReady = () => state === 'running' && serving.size > 0;
  const metricsServer = harden(aggregated.listen(config.METRICS_PORT, { isReady }));
  const metricsPort = await listening(metricsServer, config.METRICS_PORT, 'the metrics server');
  // Separate from the handler of the metrics port, because clients of the API must not use up the scrapes that Prometheus needs.
  const relay = createServer(aggregated.handler).listen(0, '127.0.0.1');
  const METRICS_RELAY_PORT = await listening(relay, 0, 'the metrics relay');

  let apiPort = config.API_PORT;
  cluster.on('listening', ({ id }, { port }) => {
    serving.add(id);
    apiPort = port;
    delayMs = 0;
  });
  cluster.on('exit', ({ id, process: { pid } }, code, signal) => {
    const served = serving.delete(id);
    // Until all workers are ready, a worker that never listened makes the start fail.
    if (state === 'stopping' || (state === 'starting' && !served)) return;
    log.error({ worker: pid, code, signal }, 'a worker exited; starting a replacement');
    replace();
  });
  const fork = () => {
    const worker = cluster.fork({ METRICS_RELAY_PORT });
    // Without a listener, a failure to create a process would end the primary and lose all counts.
    worker.on('error', (error) => {
      log.error(error, 'a worker failed');
      // Such a process emits no `exit`.
      if (state === 'running' && worker.process.pid === undefined) replace();
    });
    return worker;
  };
  const replace = () => {
    setTimeout(() => {
      if (state === 'stopping') return;
      try {
        fork();
      } catch (error) {
        log.error(error, 'cannot start a worker');
        replace();
      }
    }, delayMs);
    delayMs = Math.min(MAX_DELAY_MS, delayMs * 2 || FIRST_DELAY_MS);
  };
  const start = async () => {
    const worker = fork();
    const failed = once(worker, 'exit').then(() => Promise.reject(new Error('a worker did not start')));
    await Promise.race([once(worker, 'listening'), failed]);
  };
  // Starts one worker first, so that a port in use is reported only once.
  await start();
  await Promise.all(Array.from({ length: config.API_WORKERS - 1 }, start));
  state = 'running';
  return {
    apiPort,
    metricsPort,
    async stop() {
      state = 'stopping';
      const drained = await endWorkers(config.SHUTDOWN_GRACE_MS + WORKER_END_MS);
      relay.close();
      return { drained, scraped: await endMetrics(aggregated, metricsServer, config, log) };
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
