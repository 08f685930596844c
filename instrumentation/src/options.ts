/** The options of `instrument`, their defaults, and their validation. */
import type { IncomingMessage } from 'node:http';
import type { Registry } from './installed-registry.ts';
import type { AnyRegistry } from './library.ts';
import type { ExemplarLabels } from './recording/snapshot.ts';
import { createReport } from './user-function.ts';

/**
 * Upper bounds of the duration histogram, in seconds: the Prometheus defaults and two smaller ones, because a small API
 * responds in less than a millisecond.
 */
export const DURATION_BUCKETS_SECONDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

export interface InstrumentOptions<R extends AnyRegistry = Registry> {
  /** Where the metrics are registered. Default: a new registry, never the client library's global one. */
  readonly registry?: R;
  /** A prefix for the name of every metric: `shop_`. Default: none. */
  readonly prefix?: string;
  /**
   * Returns the `path` label for a route's template. Default: the template, such as `/users/:id`, which is also used if this
   * function throws or does not return a string.
   */
  readonly pathLabel?: (template: string) => string;
  /**
   * The status codes that routes send, by `METHOD template`: `{ 'POST /users': [201, 422] }`. Their series exist at 0 from the
   * start; other codes of such a route count under their class (`4xx`). A route that is not listed starts with 200 and adds
   * other codes when they occur. All routes have 499 and 500.
   */
  readonly codes?: Readonly<Record<string, readonly number[]>>;
  /**
   * Ascending upper bounds of the histogram's buckets, in seconds. Default: {@link DURATION_BUCKETS_SECONDS}. With an empty
   * array, only native histograms remain; a server that does not request them gets only the sum and the count.
   */
  readonly bucketsSeconds?: readonly number[];
  /**
   * Also records durations in a native histogram, which adds one series and whose quantiles are accurate to 4.4 %. It is
   * sent to a Prometheus that requests protobuf and sends `native=1`. Default: false.
   */
  readonly nativeHistograms?: boolean;
  /**
   * Keeps a trace id for each bucket and error, but only of sampled traces: the id of the OpenTelemetry span in which the
   * request arrives, if the SDK was started first, or otherwise the id in the request's `traceparent` header. A function
   * can return other labels, of at most 128 characters, or undefined for none. It is called when a request has ended and
   * its bucket has no exemplar from the current second. Exposed in OpenMetrics and protobuf. Default: false.
   */
  readonly exemplars?: boolean | ((request: IncomingMessage) => ExemplarLabels | undefined);
  /**
   * Requests that are not counted: paths as in the URL (`/healthz`), or a function that returns `true` for them. If the
   * function throws or does not return a boolean, the request is counted. Default: none.
   */
  readonly skip?: readonly string[] | ((request: IncomingMessage) => boolean);
  /** The maximum number of pairs of path and method; requests of further pairs count as `unmatched`. Default: 2000. */
  readonly maxRoutes?: number;
  /** Metrics of the process and of Node. Default: true. */
  readonly defaultMetrics?: boolean;
  /** The number of scrapes that each handler serves at a time; further ones get 503. Default: 10. */
  readonly maxScrapes?: number;
  /** Receives each warning, at most once per cause. Default: `process.emitWarning`. */
  readonly warn?: (message: string) => void;
}

/** {@link InstrumentOptions} with all defaults, except that of the registry. */
export type Settings = Required<Omit<InstrumentOptions, 'registry'>>;

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const ROUTE_KEY = /^[A-Z-]+ \S+$/;

type Check = (value: unknown) => string | undefined;

/** A check that accepts the values for which `isValid` returns true. */
export const expects =
  (expected: string, isValid: (value: unknown) => boolean): Check =>
  (value) =>
    isValid(value) ? undefined : `expected ${expected}, got ${show(value)}`;

const isFunction = (value: unknown) => typeof value === 'function';
const isBoolean = (value: unknown) => typeof value === 'boolean';
const expectsBoolean = expects('true or false', isBoolean);
const expectsCount = expects(
  'a whole number from 1',
  (value) => Number.isSafeInteger(value) && (value as number) >= 1,
);

/** Every option and its expected value. */
export const CHECKS: Readonly<Record<keyof InstrumentOptions, Check>> = {
  registry: expects('a registry of @prometheus-io/client or prom-client', (value) =>
    hasFunctions(value, 'registerMetric', 'getMetricsAsArray'),
  ),
  prefix: expects('a prefix of a metric name', (value) => value === '' || matches(value, METRIC_NAME)),
  pathLabel: expects('a function from a template to a label', isFunction),
  codes: checkCodes,
  bucketsSeconds: expects(
    'ascending bounds above 0, in seconds',
    (value) => Array.isArray(value) && value.every(isAscending),
  ),
  nativeHistograms: expectsBoolean,
  exemplars: expects(
    'true, false or a function from a request to labels',
    (value) => isBoolean(value) || isFunction(value),
  ),
  skip: expects(
    'paths that start with a slash, or a function',
    (value) => isFunction(value) || (Array.isArray(value) && value.every((path) => matches(path, /^\//))),
  ),
  maxRoutes: expectsCount,
  defaultMetrics: expectsBoolean,
  maxScrapes: expectsCount,
  warn: expects('a function that takes a message', isFunction),
};

/** @returns a line for each invalid option: its name, the expected value and the received value */
export function problemsOf(options: object, checks: Readonly<Record<string, Check>>): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const check = checks[name] ?? (() => `unknown option; expected one of ${Object.keys(checks).join(', ')}`);
    const problem = check(value);
    return problem ? [`${name}: ${problem}`] : [];
  });
}

/** @throws TypeError that lists every problem, one per line */
export function resolveOptions(options: InstrumentOptions<AnyRegistry>): Settings {
  const problems = problemsOf(options, CHECKS);
  if (options.bucketsSeconds?.length === 0 && !options.nativeHistograms)
    problems.push('bucketsSeconds: expected at least one bound if nativeHistograms is off, got []');
  if (problems.length > 0) throw new TypeError(`instrument: ${problems.join('\n')}`);
  return {
    prefix: options.prefix ?? '',
    pathLabel: options.pathLabel ?? ((template) => template),
    codes: options.codes ?? {},
    bucketsSeconds: [...(options.bucketsSeconds ?? DURATION_BUCKETS_SECONDS)],
    nativeHistograms: options.nativeHistograms ?? false,
    exemplars: options.exemplars ?? false,
    skip: options.skip ?? [],
    maxRoutes: options.maxRoutes ?? 2000,
    defaultMetrics: options.defaultMetrics ?? true,
    maxScrapes: options.maxScrapes ?? 10,
    warn: createReport(options.warn ?? ((message) => process.emitWarning(message, 'ExpressExactMetrics'))),
  };
}

function show(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? `an object with ${Object.keys(value).join(', ') || 'nothing'}`
    : (JSON.stringify(value) ?? String(value));
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const matches = (value: unknown, pattern: RegExp) => typeof value === 'string' && pattern.test(value);
const isAscending = (bound: unknown, i: number, all: readonly unknown[]) =>
  typeof bound === 'number' && Number.isFinite(bound) && bound > ((all[i - 1] as number | undefined) ?? 0);
const hasFunctions = (value: unknown, ...names: string[]) =>
  isObject(value) && names.every((name) => typeof value[name] === 'function');

function checkCodes(value: unknown): string | undefined {
  if (!isObject(value)) return `expected an object like { 'POST /users': [201] }, got ${show(value)}`;
  for (const [key, codes] of Object.entries(value)) {
    if (!ROUTE_KEY.test(key)) return `expected keys like "POST /users", got ${show(key)}`;
    const isList =
      Array.isArray(codes) && codes.every((code) => Number.isInteger(code) && code >= 100 && code <= 599);
    if (!isList) return `expected status codes from 100 to 599 for ${key}, got ${show(codes)}`;
  }
  return undefined;
}
