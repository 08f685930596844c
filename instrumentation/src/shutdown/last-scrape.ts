/**
 * Ends a process without losing counts: Prometheus would miss requests counted after the last scrape. When no request can
 * follow, which only the application's shutdown can determine, a gauge is set to 1, and the process waits until every
 * Prometheus server that scrapes it has read this value. Servers are distinguished by address: a scrape contains no other
 * identification, and a configured number of servers would be wrong as soon as one is added.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type MetricRegistry, registerMetric } from '../library.ts';
import { outcome } from '../recording/outcome.ts';
import { within } from '../within.ts';

/** Every Prometheus (and vmagent, and the OpenTelemetry collector) sends this header with a scrape; browsers and curl do not. */
const PROMETHEUS_HEADER = 'x-prometheus-scrape-timeout-seconds';

/**
 * The number of latest scrapers to remember; two or three Prometheus servers for the same processes are usual. Any client
 * can pretend to be one, but it can only make a shutdown wait for `timeoutMs`, and cannot fill the memory.
 */
const MAX_SCRAPERS = 16;

/** The longest time that a timer of Node can wait. */
const MAX_TIMEOUT_MS = 2_147_483_647;

export interface LastScrapeOptions {
  /**
   * How long to wait, in milliseconds; twice the scrape interval is enough. A scraper whose previous scrape is older than
   * this is ignored.
   */
  readonly timeoutMs: number;
}

export interface LastScrape {
  /** Like `lastScrape` of the metrics. Further calls wait for the same scrape. @throws TypeError if the time is invalid */
  wait(options: LastScrapeOptions): Promise<boolean>;
  /** Called on the arrival of each scrape by the handlers whose scrapes count. */
  watch(request: IncomingMessage, response: ServerResponse): void;
  /** Ends the wait as a scrape would, because another process has all counts. */
  end(): void;
}

/** @throws when the name of its gauge is taken in `registry` */
export function createLastScrape(registry: MetricRegistry, prefix: string): LastScrape {
  let isDrained = false;
  registerMetric(
    registry,
    {
      name: `${prefix}http_server_drained`,
      help: 'Whether the process has finished all requests and accepts no more: 1 if so, otherwise 0',
      type: 'gauge',
    },
    () => Number(isDrained),
  );
  let onScraped = (_scraped: true) => {};
  const scraped = new Promise<true>((resolve) => {
    onScraped = resolve;
  });
  /** The time of the last scrape of each Prometheus server, by address; the latest is at the end. */
  const scrapers = new Map<string, number>();
  /** The addresses whose last scrape is still missing. */
  const awaited = new Set<string>();

  return {
    async wait({ timeoutMs }) {
      checkTimeout(timeoutMs);
      if (!isDrained)
        for (const [address, cameMs] of scrapers)
          if (performance.now() - cameMs <= timeoutMs) awaited.add(address);
      isDrained = true;
      return within<boolean>(timeoutMs, scraped, () => false);
    },

    watch(request, response) {
      if (request.method !== 'GET' || isFiltered(request.url)) return;
      const address = request.socket.remoteAddress ?? '';
      const isPrometheus = request.headers[PROMETHEUS_HEADER] !== undefined;
      if (isPrometheus) remember(scrapers, address);
      // If a Prometheus scrapes the process, values that other clients read do not reach its database.
      if (!isDrained || (scrapers.size > 0 && !isPrometheus)) return;
      response.once('close', () => {
        if (outcome(response) !== 200) return;
        awaited.delete(address);
        if (awaited.size === 0) onScraped(true);
      });
    },
    end: () => onScraped(true),
  };
}

function remember(scrapers: Map<string, number>, address: string): void {
  scrapers.delete(address);
  scrapers.set(address, performance.now());
  const [oldest = ''] = scrapers.keys();
  if (scrapers.size > MAX_SCRAPERS) scrapers.delete(oldest);
}

function checkTimeout(timeoutMs: unknown): void {
  if (typeof timeoutMs === 'number' && timeoutMs >= 0 && timeoutMs <= MAX_TIMEOUT_MS) return;
  throw new TypeError(
    `lastScrape: timeoutMs: expected milliseconds from 0 to ${MAX_TIMEOUT_MS}, got ${JSON.stringify(timeoutMs) ?? String(timeoutMs)}`,
  );
}

/** Whether a scrape requests only some families: the others would be lost. */
function isFiltered(url = ''): boolean {
  return new URLSearchParams(url.split('?')[1] ?? '').has('name[]');
}
