/** The settings of the process, read from environment variables once, as a whole, before anything starts. */
import { z } from 'zod';

const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
const MOST_WORKERS = 16;
const WORKERS = `a whole number from 1 to ${MOST_WORKERS}`;
const LATENCY = 'milliseconds, a range like 20-200, or several with weights like 2-10x9,80-120';

/** @param expected what a message says of a value that is none */
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

/** The one table of the settings: how each is checked, and its default. */
const settings = z.object({
  /** 0 lets the system choose, here and below. */
  API_PORT: port.prefault('5001'),
  METRICS_PORT: port.prefault('8000'),
  /** Processes that share the API's port, each of which may keep a core busy; with 1 there is no cluster. */
  API_WORKERS: wholeNumber(MOST_WORKERS, WORKERS, 1).prefault('1'),
  /** Whether the API answers `/metrics` too. */
  METRICS_ON_API_PORT: z
    .enum(['true', 'false'], 'true or false')
    .prefault('true')
    .transform((text) => text === 'true'),
  /** One range, or several with how often each is drawn: `2-10x9,80-120`. */
  SIMULATED_LATENCY_MS: latency.prefault('0'),
  SIMULATED_ERROR_RATIO: z
    .string()
    .regex(/^\d*\.?\d+$/, 'a number from 0 to 1')
    .transform(Number)
    .refine((value) => value <= 1, 'a number from 0 to 1')
    .prefault('0'),
  /** How long requests may take to end after a signal to stop, before they are cut. */
  SHUTDOWN_GRACE_MS: milliseconds.prefault('10000'),
  /** How long to wait, drained, for one more scrape; 0 for not at all. Two scrape intervals of prometheus/prometheus.yml; a test keeps them equal. */
  SHUTDOWN_SCRAPE_WAIT_MS: milliseconds.prefault('10000'),
  LOG_LEVEL: z.enum(LOG_LEVELS, `one of ${LOG_LEVELS.join(', ')}`).prefault('info'),
  /** At most so many lines a second of each process about requests, and as many about those that failed; 0 for none. */
  ACCESS_LOG_LINES_PER_SECOND: wholeNumber(10_000, 'a whole number from 0 to 10000').prefault('0'),
});

export type Config = Readonly<z.output<typeof settings>>;

const schema = settings.refine(({ API_PORT, METRICS_PORT }) => API_PORT !== METRICS_PORT || API_PORT === 0, {
  path: ['METRICS_PORT'],
  message: 'a port other than API_PORT',
  // Also where another setting is wrong, so that this problem is listed with the rest.
  when: ({ value }) => Number.isInteger((value as Partial<Config>).API_PORT),
});

/** Thrown by {@link parseConfig} with every problem at once, one a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads the settings from `environment`. An empty value counts as not set, since compose files pass those on.
 * @throws ConfigError that lists each wrong value as `NAME: expected ..., got "..."`
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
