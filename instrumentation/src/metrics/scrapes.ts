/** Counts the scrapes of the exposition and the time spent on them. */
import { type AnyRegistry, registerMetric, registerNumber } from '../library.ts';

/** 499 is a scrape whose client left before the end. */
const CODES = [200, 499, 500, 503];

export function createScrapeMetrics(
  registry: AnyRegistry,
  prefix = '',
): (code: number, seconds: number) => void {
  const scrapes = new Map(CODES.map((code) => [code, 0]));
  let seconds = 0;
  registerMetric(
    registry,
    {
      name: `${prefix}metrics_scrapes_total`,
      help: 'Total number of scrapes of the metrics endpoint, by response code',
      type: 'counter',
    },
    () => Array.from(scrapes, ([code, value]) => ({ labels: { code: String(code) }, value })),
  );
  registerNumber(
    registry,
    {
      name: `${prefix}metrics_scrape_seconds_total`,
      help: 'Total time from the arrival of a scrape to its answer, in seconds',
      type: 'counter',
    },
    () => seconds,
  );
  return (code, elapsed) => {
    scrapes.set(code, (scrapes.get(code) ?? 0) + 1);
    seconds += elapsed;
  };
}
