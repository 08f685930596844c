/** Counts the scrapes of the exposition and the time spent on them. */
import { type AnyRegistry, Counter } from '../library.ts';

/** 499 is a scrape whose client did not wait for the end. */
const CODES = ['200', '499', '500', '503'];

export function createScrapeMetrics(
  registry: AnyRegistry,
  prefix = '',
): (code: number, seconds: number) => void {
  const registers = [registry];
  const scrapes = new Counter({
    name: `${prefix}metrics_scrapes_total`,
    help: 'Total number of scrapes of the metrics endpoint, by response code',
    labelNames: ['code'],
    registers,
  });
  const seconds = new Counter({
    name: `${prefix}metrics_scrape_seconds_total`,
    help: 'Total time from the arrival of a scrape to its answer, in seconds',
    registers,
  });
  for (const code of CODES) scrapes.inc({ code }, 0);
  return (code, elapsed) => {
    scrapes.inc({ code: String(code) });
    seconds.inc(elapsed);
  };
}
