/** Exact Prometheus metrics for any Express application. */

export type { HandlerOptions } from './endpoint.ts';
export { instrument, type Metrics } from './instrument.ts';
export type { ListenOptions } from './listen.ts';
export { maxSeries } from './max-series.ts';
export { DURATION_BUCKETS_SECONDS, type InstrumentOptions } from './options.ts';
// Protects the demo API or any other server; independent of metrics.
export { protect } from './protection.ts';
export { outcome } from './recording/outcome.ts';
export type { LastScrapeOptions } from './shutdown/last-scrape.ts';
