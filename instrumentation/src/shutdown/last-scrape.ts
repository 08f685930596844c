/**
 * The end of a process without loss: what was counted after the last scrape would go with it. So, when nothing more can
 * be counted, a gauge says so, and the process waits until every Prometheus that scrapes it has read that. These are told
 * apart by their addresses: nothing else in a scrape says which Prometheus it is from, and a number of them in the settings
 * would be wrong as soon as one is added. When nothing more can come is for the shutdown of the application to know.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AnyRegistry, registerNumber } from '../library.ts';
import { outcome } from '../recording/outcome.ts';

/** Every Prometheus (and vmagent, and the OpenTelemetry collector) sends it with a scrape; browsers and curl do not. */
const PROMETHEUS_HEADER = 'x-prometheus-scrape-timeout-seconds';

/**
 * So many scrapers are remembered, of the latest: several Prometheus that scrape the same processes are two or three. Any
 * client may pretend to be one, and must not fill the memory. What it can do is to make a shutdown wait for `timeoutMs`.
 */
const MAX_SCRAPERS = 16;

/** The longest that a timer of Node waits. */
const MAX_TIMEOUT_MS = 2_147_483_647;

export interface LastScrapeOptions {
  /**
   * How long to wait, in milliseconds. Twice the scrape interval is enough for a scraper that is there: one that has not come
   * for so long is not waited for.
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
  /** When each Prometheus last came, by its address, the latest last. */
  const scrapers = new Map<string, number>();
  /** Those that have to come once more. */
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
