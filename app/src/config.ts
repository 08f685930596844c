/** The settings of the process, read from environment variables once, before anything starts. */
import { z } from 'zod';

const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
const MOST_WORKERS = 16;
const WORKERS = `a whole number from 1 to ${MOST_WORKERS}`;
const LATENCY = 'milliseconds, a range like 20-200, or several with weights like 2-10x9,80-120';

/** @param expected the expectation in the error message */
const wholeNumber = (most: number, expected: string, least = 0) =>
  z
    .string()
    .regex(/^\d+$/, expected)
    .transform(Number)
    .refine((value) => value >= least && value <= most, expected);
const port = wholeNumber(65_535, 'a port from 0 to 65535');
const milliseconds = wholeNumber(9_999_999, 'milliseconds');

const latency = z
  .string()
  .regex(/^\d{1,7}(-\d{1,7})?(x\d{1,4})?(,\d{1,7}(-\d{1,7})?(x\d{1,4})?)*$/, LATENCY)
  .transform((text) =>
    text.split(',').map((mode) => {
      const [span = '', weight = 1] = mode.split('x');
      const [min = 0, max = min] = span.split('-').map(Number);
      return { min, max, weight: Number(weight) };
    }),
  )
  .refine((modes) => modes.every(({ min, max, weight }) => min <= max && weight > 0), LATENCY);

/** All settings, with their validation and defaults. */
const settings = z.object({
  /** 0 lets the system choose a port, here and below. */
  API_PORT: port.prefault('5001'),
  METRICS_PORT: port.prefault('8000'),
  /** Processes that share the API's port, each of which can use one core; with 1 there is no cluster. */
  API_WORKERS: wholeNumber(MOST_WORKERS, WORKERS, 1).prefault('1'),
  /** Whether the API's port also serves `/metrics`. */
  METRICS_ON_API_PORT: z
    .enum(['true', 'false'], 'true or false')
    .prefault('true')
    .transform((text) => text === 'true'),
  /** One range, or several with weights: `2-10x9,80-120`. */
  SIMULATED_LATENCY_MS: latency.prefault('0'),
  SIMULATED_ERROR_RATIO: z
    .string()
    .regex(/^\d*\.?\d+$/, 'a number from 0 to 1')
    .transform(Number)
    .refine((value) => value <= 1, 'a number from 0 to 1')
    .prefault('0'),
  /** How long requests may continue after a signal to stop, before they are aborted. */
  SHUTDOWN_GRACE_MS: milliseconds.prefault('10000'),
  /**
   * How long to wait for a last scrape after draining; 0 disables the wait. A test checks that the default is two scrape intervals
   * of prometheus/prometheus.yml.
   */
  SHUTDOWN_SCRAPE_WAIT_MS: milliseconds.prefault('10000'),
  LOG_LEVEL: z.enum(LOG_LEVELS, `one of ${LOG_LEVELS.join(', ')}`).prefault('info'),
  /**
   * The maximum number of log lines about requests per second and process; 0 for none. Failed requests have a separate limit of the
   * same size.
   */
  ACCESS_LOG_LINES_PER_SECOND: wholeNumber(10_000, 'a whole number from 0 to 10000').prefault('0'),
});

export type Config = Readonly<z.output<typeof settings>>;

const schema = settings.refine(({ API_PORT, METRICS_PORT }) => API_PORT !== METRICS_PORT || API_PORT === 0, {
  path: ['METRICS_PORT'],
  message: 'a port other than API_PORT',
  // Checked even if another setting is wrong, so that all problems are listed.
  when: ({ value }) => Number.isInteger((value as Partial<Config>).API_PORT),
});

/** Thrown by {@link parseConfig} with all problems, one per line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads the settings from `environment`. An empty value counts as unset, because compose files pass on empty values.
 * @throws ConfigError with each wrong value as `NAME: expected ..., got "..."`
 */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const { data, error } = schema.safeParse(given);
  if (data) return Object.freeze(data);
  const problems = error.issues.map(
    ({ path: [name = ''], message }) => `${String(name)}: expected ${message}, got "${given[String(name)]}"`,
  );
  throw new ConfigError(problems.join('\n'));
}
