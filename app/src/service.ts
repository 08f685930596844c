/** The API and its metrics port as one thing that starts and stops. Knows neither the environment nor the process. */
import type { Logger } from 'pino';
import { createApp } from './app.ts';
import type { Config } from './config.ts';
import { createExposition } from './instrumentation/exposition.ts';
import { createGather, Registry } from './instrumentation/library.ts';
import { createMetrics, createProcessMetrics, createScrapeMetrics } from './instrumentation/metrics.ts';
import { type RouteGroup, toRouteLabels } from './instrumentation/route-table.ts';
import { createMetricsHandler } from './metrics-server.ts';
import { createServer, drain, listen } from './server.ts';
import { createSimulation } from './simulation.ts';

/** A running service. */
export interface Service {
  readonly apiPort: number;
  readonly metricsPort: number;
  /** Not ready at once, drains, then closes the metrics port. @returns whether all requests ended in time */
  stop(): Promise<boolean>;
}

/** @throws Error that names the port which cannot be listened on; nothing is left open then */
export async function startService(config: Config, routes: RouteGroup, log: Logger): Promise<Service> {
  const registry = new Registry();
  const metrics = createMetrics(registry, toRouteLabels(routes));
  createProcessMetrics(registry);
  const gather = createGather(registry);
  const onScrape = createScrapeMetrics(registry);
  // One for each port: clients of the API must not be able to use up the scrapes that Prometheus needs.
  const [exposition, publicExposition] = [
    createExposition(gather, { onScrape }),
    createExposition(gather, { onScrape }),
  ];
  const api = createServer(
    createApp({
      routes,
      metrics,
      log,
      simulation: createSimulation(config.simulation),
      exposition: config.metricsOnApiPort ? publicExposition : undefined,
    }),
  );
  let ready = false;
  const metricsServer = createServer(createMetricsHandler({ exposition, isReady: () => ready }));
  const metricsPort = await listen(metricsServer, config.metricsPort, 'the metrics server');
  const apiPort = await listen(api, config.apiPort, 'the API').catch(async (error: unknown) => {
    await drain(metricsServer, 0);
    throw error;
  });
  ready = true;
  return {
    apiPort,
    metricsPort,
    async stop() {
      ready = false;
      const drained = await drain(api, config.shutdownGraceMs);
      // Last, so that Prometheus and the health check can watch the draining.
      await drain(metricsServer, 0);
      return drained;
    },
  };
}
