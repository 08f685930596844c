/** The settings of the process, read from environment variables once, as a whole, before anything starts. */
import { z } from 'zod';
import type { SimulationConfig } from './simulation.ts';

export interface Config {
  /** 0 lets the system choose. */
  readonly apiPort: number;
  readonly metricsPort: number;
  readonly metricsOnApiPort: boolean;
  readonly simulation: SimulationConfig;
  /** How long requests may take to end after a signal to stop, before they are cut. */
  readonly shutdownGraceMs: number;
  /** How long to wait, drained, for one more scrape; 0 for not at all. */
  readonly shutdownScrapeWaitMs: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** At most so many lines a second about requests, and as many about those that failed; 0 for none. */
  readonly accessLogLinesPerSecond: number;
}

const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

const port = z
  .string()
  .regex(/^\d{1,5}$/)
  .transform(Number)
  .refine((value) => value <= 65535);
const milliseconds = z
  .string()
  .regex(/^\d{1,7}$/)
  .transform(Number);
/** One range, or several with how often each is drawn: `2-10x9,80-120`. */
const latency = z
  .string()
  .regex(/^\d{1,7}(-\d{1,7})?(x\d{1,4})?(,\d{1,7}(-\d{1,7})?(x\d{1,4})?)*$/)
  .transform((text) =>
    text.split(',').map((mode) => {
      const [span = '', weight = 1] = mode.split('x');
      const [min = 0, max = min] = span.split('-').map(Number);
      return { min, max, weight: Number(weight) };
    }),
  )
  .refine((modes) => modes.every(({ min, max, weight }) => min <= max && weight > 0));

/** Name, default, what is expected, and how it is checked: the one table of the settings. */
const settings = {
  API_PORT: setting('5001', 'a port from 0 to 65535', port),
  METRICS_PORT: setting('8000', 'a port from 0 to 65535', port),
  METRICS_ON_API_PORT: setting(
    'true',
    'true or false',
    z.stringbool({ truthy: ['true'], falsy: ['false'], case: 'sensitive' }),
  ),
  SIMULATED_LATENCY_MS: setting(
    '0',
    'milliseconds, a range like 20-200, or several with weights like 2-10x9,80-120',
    latency,
  ),
  SIMULATED_ERROR_RATIO: setting(
    '0',
    'a number from 0 to 1',
    z
      .string()
      .regex(/^\d*\.?\d+$/)
      .transform(Number)
      .refine((value) => value <= 1),
  ),
  SHUTDOWN_GRACE_MS: setting('10000', 'milliseconds', milliseconds),
  // Two scrape intervals of prometheus/prometheus.yml; a test keeps them equal.
  SHUTDOWN_SCRAPE_WAIT_MS: setting('10000', 'milliseconds', milliseconds),
  LOG_LEVEL: setting('info', `one of ${LOG_LEVELS.join(', ')}`, z.enum(LOG_LEVELS)),
  ACCESS_LOG_LINES_PER_SECOND: setting(
    '0',
    'a whole number from 0 to 10000',
    z
      .string()
      .regex(/^\d{1,5}$/)
      .transform(Number)
      .refine((value) => value <= 10_000),
  ),
};

const schema = z.object(settings).superRefine(
  ({ API_PORT, METRICS_PORT }, context) => {
    if (API_PORT !== METRICS_PORT || API_PORT === 0) return;
    context.addIssue({ code: 'custom', path: ['METRICS_PORT'], message: 'another port than API_PORT' });
  },
  // Also where another setting is wrong, so that this problem is listed with the rest.
  {
    when: ({ value }) =>
      z.object({ API_PORT: z.number(), METRICS_PORT: z.number() }).safeParse(value).success,
  },
);

/** Thrown by {@link parseConfig} with every problem at once, one a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads the settings from `environment`. An empty value counts as not set, since compose files pass those on.
 * @throws ConfigError that lists each wrong value as `NAME: expected ..., got "..."`
 */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.keys(settings).map((name) => [name, environment[name] === '' ? undefined : environment[name]]),
  );
  const result = schema.safeParse(given);
  if (!result.success) {
    const problems = result.error.issues.map(({ path, message }) => {
      const name = path.join('.');
      return `${name}: expected ${message}, got "${given[name]}"`;
    });
    throw new ConfigError(problems.join('\n'));
  }
  const { data } = result;
  return Object.freeze({
    apiPort: data.API_PORT,
    metricsPort: data.METRICS_PORT,
    metricsOnApiPort: data.METRICS_ON_API_PORT,
    simulation: { latencyMs: data.SIMULATED_LATENCY_MS, errorRatio: data.SIMULATED_ERROR_RATIO },
    shutdownGraceMs: data.SHUTDOWN_GRACE_MS,
    shutdownScrapeWaitMs: data.SHUTDOWN_SCRAPE_WAIT_MS,
    logLevel: data.LOG_LEVEL,
    accessLogLinesPerSecond: data.ACCESS_LOG_LINES_PER_SECOND,
  });
}

function setting<T>(byDefault: string, expected: string, schema: z.ZodType<T, string>) {
  return z
    .string()
    .default(byDefault)
    .transform((text, context): T => {
      const result = schema.safeParse(text);
      if (result.success) return result.data;
      context.addIssue({ code: 'custom', message: expected });
      return z.NEVER;
    });
}
