/** The handlers and servers of one exposition, whose scrapes are counted. */
import type { RequestListener, Server } from 'node:http';
import type { Family } from './exposition/family.ts';
import { createExposition } from './exposition/handler.ts';
import type { MetricRegistry } from './library.ts';
import { type ListenOptions, listen } from './listen.ts';
import { createScrapeMetrics } from './metrics/scrapes.ts';
import type { Settings } from './options.ts';
import { createLastScrape, type LastScrapeOptions } from './shutdown/last-scrape.ts';

export interface HandlerOptions {
  /**
   * Whether clients of the application can reach the handler. If so, its scrapes do not prove that Prometheus has scraped,
   * and `lastScrape` does not wait for one. Default: false.
   */
  readonly isPublic?: boolean;
}

export interface Endpoint {
  /**
   * Creates a handler that serves the exposition on any path where it is mounted. Each handler has a separate limit on
   * scrapes, so the clients of one port cannot use up the limit of another.
   */
  createHandler(options?: HandlerOptions): RequestListener;
  /**
   * Starts a server: `/` and `/metrics` serve the exposition, `/healthz` returns 200, and `/readyz` depends on `isReady`.
   * @param port 0 lets the system choose
   * @param options an object, or just the host
   * @returns the server, like `app.listen`; it emits `error` if the port is in use
   */
  listen(port: number, options?: string | ListenOptions): Server;
  /**
   * Call it at the end of a shutdown, when no request is in progress and none can arrive. It sets the gauge
   * `http_server_drained` to 1 and waits until each Prometheus that scrapes the process has completed a scrape that began
   * after that, so that no count is lost.
   * @returns whether each Prometheus did so within `timeoutMs`
   */
  lastScrape(options: LastScrapeOptions): Promise<boolean>;
  /** Closes the servers of `listen`. */
  close(): void;
}

/**
 * Registers the metrics of the endpoint.
 * @param gather reads the current values of all families at one moment
 * @throws Error when a name is taken in `registry`
 */
export function createEndpoint(
  registry: MetricRegistry,
  { prefix, maxScrapes, warn }: Pick<Settings, 'prefix' | 'maxScrapes' | 'warn'>,
  gather: () => Promise<readonly Family[]>,
): Endpoint & { readonly endLastScrape: () => void } {
  const { wait, watch, end } = createLastScrape(registry, prefix);
  const onScrape = createScrapeMetrics(registry, prefix);
  const servers: Server[] = [];

  function createHandler({ isPublic = false }: HandlerOptions = {}): RequestListener {
    const exposition = createExposition(gather, { maxScrapes, onScrape });
    return (request, response) => {
      if (!isPublic) watch(request, response);
      exposition(request, response);
    };
  }

  return {
    createHandler,
    listen(port, options = {}) {
      const server = listen(createHandler(), port, options, warn);
      servers.push(server);
      return server;
    },
    lastScrape: wait,
    endLastScrape: end,
    close() {
      for (const server of servers) server.close();
    },
  };
}
