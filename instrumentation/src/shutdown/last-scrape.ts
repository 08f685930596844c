/**
 * The end of a process without loss: what was counted after the last scrape would go with it. So, when nothing more can
 * be counted, a gauge says so, and the process waits until that has been read. It knows scrapes only: when nothing more
 * can come is for the shutdown of the application to know.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AnyRegistry, registerNumber } from '../library.ts';
import { outcome } from '../recording/outcome.ts';

/** Every Prometheus (and vmagent, and the OpenTelemetry collector) sends it with a scrape; browsers and curl do not. */
const PROMETHEUS_HEADER = 'x-prometheus-scrape-timeout-seconds';

/** The longest that a timer of Node waits. */
const MAX_TIMEOUT_MS = 2_147_483_647;

export interface LastScrapeOptions {
  /** How long to wait, in milliseconds. Twice the scrape interval is enough for a scraper that is there. */
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
      help: 'Whether the process has ended all requests and takes no more: 1 from then on, else 0',
      type: 'gauge',
    },
    () => Number(isDrained),
  );
  let onScraped = (_scraped: true) => {};
  const scraped = new Promise<true>((resolve) => {
    onScraped = resolve;
  });
  let knowsPrometheus = false;

  return {
    async wait({ timeoutMs }) {
      checkTimeout(timeoutMs);
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
      const isPrometheus = request.headers[PROMETHEUS_HEADER] !== undefined;
      knowsPrometheus ||= isPrometheus;
      // Where a Prometheus scrapes, what anything else reads does not reach the database.
      const counts = isDrained && request.method === 'GET' && (isPrometheus || !knowsPrometheus);
      if (!counts || isFiltered(request.url)) return;
      response.once('close', () => {
        if (outcome(response) === 200) onScraped(true);
      });
    },
    end: () => onScraped(true),
  };
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
