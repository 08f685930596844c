/** Starts and stops the API together with its metrics port. Independent of the environment and the process. */
import type { Server } from 'node:http';
import type { Metrics } from 'express-exact-metrics';
import type { Logger } from 'pino';
import { createApp } from './app.ts';
import type { Config } from './config.ts';
import { close, drain } from './drain.ts';
import type { Route } from './routes.ts';
import { createServer, harden, listening } from './server.ts';

/** A running worker of a service; its primary has the metrics port. */
export interface Worker {
  readonly apiPort: number;
  /** Becomes unready immediately, drains, waits for a last scrape, then closes the metrics port. */
  stop(): Promise<{
    /** Whether all requests ended in time. */
    readonly drained: boolean;
    /** Whether all counts have been scraped; undefined if waiting for the last scrape is disabled. */
    readonly scraped: boolean | undefined;
  }>;
}

/** A running service. */
export interface Service extends Worker {
  readonly metricsPort: number;
}

/** How long a scrape in progress may take when the metrics port closes, in milliseconds. */
const METRICS_GRACE_MS = 1_000;

/** How long a worker may take to send its last counts to the primary, in milliseconds. */
const HAND_OVER_MS = 2_000;

/** @throws Error that names the port on which it cannot listen */
export async function startService(config: Config, routes: readonly Route[], log: Logger): Promise<Service> {
  const { app, metrics } = createApp(config, routes, log);
  let ready = false;
  const metricsServer = harden(metrics.listen(config.METRICS_PORT, { isReady: () => ready }));
  const metricsPort = await listening(metricsServer, config.METRICS_PORT, 'the metrics server');
  const api = createServer(app).listen(config.API_PORT);
  const apiPort = await listening(api, config.API_PORT, 'the API');
  ready = true;
  return {
    apiPort,
    metricsPort,
    async stop() {
      ready = false;
      const drained = await drain(api, config.SHUTDOWN_GRACE_MS);
      return { drained, scraped: await endMetrics(metrics, metricsServer, config, log) };
    },
  };
}

/**
 * Called after draining: waits for the last scrape, then closes the metrics port. The port closes last, so that Prometheus and the
 * health check can observe the draining.
 * @returns whether everything was scraped; undefined if the wait is disabled
 */
export async function endMetrics(
  metrics: Pick<Metrics, 'lastScrape'>,
  server: Server,
  { SHUTDOWN_SCRAPE_WAIT_MS: timeoutMs }: Config,
  log: Logger,
): Promise<boolean | undefined> {
  log.info({ scrapeWaitMs: timeoutMs }, 'drained');
  const scraped = timeoutMs === 0 ? undefined : await metrics.lastScrape({ timeoutMs });
  await close(server, METRICS_GRACE_MS);
  return scraped;
}

/**
 * Starts one of the workers of startPrimary.
 * @param relayPort the port on which the primary serves the metrics of all workers
 * @throws Error that names the port on which it cannot listen
 */
export async function startWorker(
  config: Config,
  routes: readonly Route[],
  log: Logger,
  relayPort: number,
): Promise<Worker> {
  const { app, metrics } = createApp(config, routes, log, relayPort);
  const api = createServer(app).listen(config.API_PORT);
  const apiPort = await listening(api, config.API_PORT, 'the API');
  return {
    apiPort,
    async stop() {
      const drained = await drain(api, config.SHUTDOWN_GRACE_MS);
      return { drained, scraped: await metrics.lastScrape({ timeoutMs: HAND_OVER_MS }) };
    },
  };
}
