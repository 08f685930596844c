/** The largest possible number of series, from which to derive a limit on a scrape (`sample_limit`). */
import { METHODS } from 'node:http';
import type { AnyRegistry } from './library.ts';
import { type InstrumentOptions, resolveOptions } from './options.ts';
import { CODE_CLASSES, MAX_CODES } from './recording/counts.ts';

/** `_bucket{le="+Inf"}`, `_sum` and `_count`. */
const EXTRA_PER_HISTOGRAM = 3;

/** All codes from 400 to 599, and two classes. */
const ERROR_CODES = 202;

/** `inprogress_requests`, `http_server_drained`, four codes of scrapes and the time spent on them. */
const SINGLE = 7;

/**
 * 54 were measured. The numbers of heap spaces, garbage collection kinds and resource types vary with Node's version and
 * workload.
 */
const PROCESS = 250;

/**
 * The largest number of series that `instrument(app, options)` can expose, whatever clients send. Does not include your own metrics.
 * A scrape reaches it only if each route responds with as many codes as are distinguished.
 * @throws TypeError as `instrument` does
 */
export function maxSeries(options: InstrumentOptions<AnyRegistry> = {}): number {
  const { bucketsSeconds, nativeHistograms, codes, maxRoutes, defaultMetrics } = resolveOptions(options);
  const perCell = bucketsSeconds.length + EXTRA_PER_HISTOGRAM + (nativeHistograms ? 1 : 0);
  // Routes always have 499 and 500 in addition to their declared codes.
  const declared = Object.values(codes).map((own) => own.length + 2);
  const perRoute = Math.max(MAX_CODES, ...declared) + CODE_CLASSES;
  const unmatched = METHODS.length * (MAX_CODES + CODE_CLASSES) * perCell;
  const routed = maxRoutes * (perRoute * perCell + 1);
  return routed + unmatched + ERROR_CODES + SINGLE + (defaultMetrics ? PROCESS : 0);
}
