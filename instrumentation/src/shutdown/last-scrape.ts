/**
 * Ends a process without loss of counts: requests counted after the last scrape would be missing in Prometheus. So, when no
 * request can follow, a gauge is set to 1, and the process waits until every Prometheus server that scrapes it has read that.
 * Servers are distinguished by address, because nothing else in a scrape identifies them, and a configured number would be wrong
 * as soon as one is added. Only the shutdown of the application knows when no request can follow.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AnyRegistry, registerNumber } from '../library.ts';
import { outcome } from '../recording/outcome.ts';

/** Every Prometheus (and vmagent, and the OpenTelemetry collector) sends it with a scrape; browsers and curl do not. */
const PROMETHEUS_HEADER = 'x-prometheus-scrape-timeout-seconds';

/**
 * The number of latest scrapers to remember; two or three Prometheus servers that scrape the same processes are usual. Any client
 * can pretend to be one and must not fill the memory. It can only make a shutdown wait for `timeoutMs`.
 */
const MAX_SCRAPERS = 16;

/** The longest that a timer of Node waits. */
const MAX_TIMEOUT_MS = 2_147_483_647;

export interface LastScrapeOptions {
  /**
   * How long to wait, in milliseconds. Twice the scrape interval is enough. A scraper whose previous scrape is longer ago than this
   * is not waited for.
   */
  readonly timeoutMs: number;
}

export interface LastScrape {
  /** As `lastScrape` of the metrics. Further calls wait for the same scrape. @throws TypeError when the time is none */
  wait(options: LastScrapeOptions): Promise<boolean>;
  /** To be called with each scrape when it arrives, by the handlers whose scrapes count. */
  watch(request: IncomingMessage, response: ServerResponse): void;
  /** Ends the waiting as the scrape would: all that was counted is with another process. */
  end(): void;
}

/** @throws when the name of its gauge is taken in `registry` */
export function createLastScrape(registry: AnyRegistry, prefix = ''): LastScrape {
  let isDrained = false;
  registerNumber(
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
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<false>((resolve) => {
        timer = setTimeout(resolve, timeoutMs, false);
      });
      const result = await Promise.race([scraped, late]);
      clearTimeout(timer);
      return result;
    },

    watch(request, response) {
      if (request.method !== 'GET' || isFiltered(request.url)) return;
      const address = request.socket.remoteAddress ?? '';
      const isPrometheus = request.headers[PROMETHEUS_HEADER] !== undefined;
      if (isPrometheus) remember(scrapers, address);
      // Where a Prometheus scrapes, what anything else reads does not reach the database.
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

/** Some families only: the rest would be lost. */
function isFiltered(url = ''): boolean {
  return new URLSearchParams(url.split('?')[1] ?? '').has('name[]');
}
