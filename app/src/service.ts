/** The API and its metrics port as one thing that starts and stops. Knows neither the environment nor the process. */
import type { Logger } from 'pino';
import { createApp } from './app.ts';
import type { Config } from './config.ts';
import { close, drain } from './drain.ts';
import type { Route } from './routes.ts';
import { createServer, harden, listening } from './server.ts';
import { createSimulation } from './simulation.ts';

/** A running service. */
export interface Service {
  readonly apiPort: number;
  readonly metricsPort: number;
  /** Not ready at once; drains, waits for a last scrape, then closes the metrics port. */
  stop(): Promise<Stopped>;
}

/** How a stop went. */
export interface Stopped {
  /** Whether all requests ended in time. */
  readonly drained: boolean;
  /** Whether everything that was counted has been scraped; undefined where that is not waited for. */
  readonly scraped: boolean | undefined;
}

/** What is left for a scrape that is under way when the metrics port closes, in milliseconds. */
const METRICS_GRACE_MS = 1_000;

/** @throws Error that names the port which cannot be listened on; nothing is left open then */
export async function startService(config: Config, routes: readonly Route[], log: Logger): Promise<Service> {
  const { app, metrics } = createApp({
    routes,
    log,
    simulation: createSimulation(config.simulation),
    metricsOnApiPort: config.metricsOnApiPort,
    accessLogLinesPerSecond: config.accessLogLinesPerSecond,
  });
  const api = createServer(app);
  let ready = false;
  const metricsServer = harden(metrics.listen(config.metricsPort, { isReady: () => ready }));
  const metricsPort = await listening(metricsServer, config.metricsPort, 'the metrics server');
  api.listen(config.apiPort);
  const apiPort = await listening(api, config.apiPort, 'the API').catch(async (error: unknown) => {
    await close(metricsServer, 0);
    throw error;
  });
  ready = true;
  return {
    apiPort,
    metricsPort,
    async stop() {
      ready = false;
      const drained = await drain(api, config.shutdownGraceMs);
      const timeoutMs = config.shutdownScrapeWaitMs;
      log.info({ scrapeWaitMs: timeoutMs }, 'drained');
      const scraped = timeoutMs === 0 ? undefined : await metrics.lastScrape({ timeoutMs });
      // Last, so that Prometheus and the health check can watch the draining.
      await close(metricsServer, METRICS_GRACE_MS);
      return { drained, scraped };
    },
  };
}
