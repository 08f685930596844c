/** Counts the scrapes of the exposition and the time spent on them. */
import { type MetricRegistry, registerMetric } from '../library.ts';

/** 499 is a scrape whose client left before the end. */
const CODES = [200, 499, 500, 503];

export function createScrapeMetrics(
  registry: MetricRegistry,
  prefix: string,
): (code: number, seconds: number) => void {
  const scrapes = new Map(CODES.map((code) => [code, 0]));
  let seconds = 0;
  const counter = (name: string, help: string, read: Parameters<typeof registerMetric>[2]) =>
    registerMetric(registry, { name: prefix + name, help, type: 'counter' }, read);
  counter('metrics_scrapes_total', 'Total number of scrapes of the metrics endpoint, by response code', () =>
    Array.from(scrapes, ([code, value]) => ({ labels: { code: String(code) }, value })),
  );
  counter(
    'metrics_scrape_seconds_total',
    'Total time from the arrival of a scrape to its answer, in seconds',
    () => seconds,
  );
  return (code, elapsed) => {
    scrapes.set(code, (scrapes.get(code) ?? 0) + 1);
    seconds += elapsed;
  };
}
