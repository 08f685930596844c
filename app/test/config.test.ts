import { describe, expect, it } from '@jest/globals';
import { ConfigError, parseConfig } from '../src/config.ts';

const simulated = (errorRatio: number, ...modes: readonly (readonly [number, number, number])[]) => ({
  simulation: { latencyMs: modes.map(([min, max, weight]) => ({ min, max, weight })), errorRatio },
});

const defaults = {
  apiPort: 5001,
  metricsPort: 8000,
  metricsOnApiPort: true,
  ...simulated(0, [0, 0, 1]),
  shutdownGraceMs: 10_000,
  shutdownScrapeWaitMs: 10_000,
  logLevel: 'info',
  accessLogLinesPerSecond: 0,
};

const LATENCY = 'milliseconds, a range like 20-200, or several with weights like 2-10x9,80-120';

describe('the configuration', () => {
  it.each([
    ['nothing', {}, {}],
    ['empty values, as compose passes them on', { API_PORT: '', LOG_LEVEL: '' }, {}],
    ['ports', { API_PORT: '80', METRICS_PORT: '65535' }, { apiPort: 80, metricsPort: 65_535 }],
    ['ports that the system chooses', { API_PORT: '0', METRICS_PORT: '0' }, { apiPort: 0, metricsPort: 0 }],
    ['no metrics on the API port', { METRICS_ON_API_PORT: 'false' }, { metricsOnApiPort: false }],
    ['a latency', { SIMULATED_LATENCY_MS: '20' }, simulated(0, [20, 20, 1])],
    [
      'a range and a ratio',
      { SIMULATED_LATENCY_MS: '20-200', SIMULATED_ERROR_RATIO: '0.05' },
      simulated(0.05, [20, 200, 1]),
    ],
    [
      'two ranges of different weight',
      { SIMULATED_LATENCY_MS: '2-10x9,80-120' },
      simulated(0, [2, 10, 9], [80, 120, 1]),
    ],
    [
      'grace, scrape wait and log level',
      { SHUTDOWN_GRACE_MS: '0', SHUTDOWN_SCRAPE_WAIT_MS: '0', LOG_LEVEL: 'debug' },
      { shutdownGraceMs: 0, shutdownScrapeWaitMs: 0, logLevel: 'debug' },
    ],
    ['an access log', { ACCESS_LOG_LINES_PER_SECOND: '50' }, { accessLogLinesPerSecond: 50 }],
    ['what is not its own', { PATH: '/bin', PORT: 'x' }, {}],
  ])('takes %s', (_name, environment, expected) => {
    expect(parseConfig(environment)).toEqual({ ...defaults, ...expected });
  });

  it.each([
    ['API_PORT', '65536', 'a port from 0 to 65535'],
    ['API_PORT', '-1', 'a port from 0 to 65535'],
    ['METRICS_PORT', '80a', 'a port from 0 to 65535'],
    ['METRICS_ON_API_PORT', 'yes', 'true or false'],
    ...['200-20', '-5', '2-10x0', '2-10,'].map((value) => ['SIMULATED_LATENCY_MS', value, LATENCY] as const),
    ['SIMULATED_ERROR_RATIO', '1.5', 'a number from 0 to 1'],
    ['SIMULATED_ERROR_RATIO', '5%', 'a number from 0 to 1'],
    ['SHUTDOWN_GRACE_MS', '10s', 'milliseconds'],
    ['SHUTDOWN_SCRAPE_WAIT_MS', '-1', 'milliseconds'],
    ['LOG_LEVEL', 'loud', 'one of silent, fatal, error, warn, info, debug, trace'],
    ['METRICS_PORT', '5001', 'another port than API_PORT'],
  ])('refuses %s=%s', (name, value, expected) => {
    expect(() => parseConfig({ [name]: value })).toThrow(
      new ConfigError(`${name}: expected ${expected}, got "${value}"`),
    );
  });

  it('lists every problem at once, one a line', () => {
    const wrong = { API_PORT: '7', METRICS_PORT: '7', SIMULATED_ERROR_RATIO: '2', LOG_LEVEL: 'loud' };
    expect(() => parseConfig(wrong)).toThrow(
      new ConfigError(
        [
          'SIMULATED_ERROR_RATIO: expected a number from 0 to 1, got "2"',
          'LOG_LEVEL: expected one of silent, fatal, error, warn, info, debug, trace, got "loud"',
          'METRICS_PORT: expected another port than API_PORT, got "7"',
        ].join('\n'),
      ),
    );
  });
});
