import { describe, expect, it } from '@jest/globals';
import { ConfigError, parseConfig } from '../src/config.ts';

const latency = (...modes: readonly (readonly [number, number, number])[]) => ({
  SIMULATED_LATENCY_MS: modes.map(([min, max, weight]) => ({ min, max, weight })),
});

const defaults = {
  ...{ API_PORT: 5001, METRICS_PORT: 8000, API_WORKERS: 1, METRICS_ON_API_PORT: true },
  ...{ ...latency([0, 0, 1]), SIMULATED_ERROR_RATIO: 0 },
  ...{ SHUTDOWN_GRACE_MS: 10_000, SHUTDOWN_SCRAPE_WAIT_MS: 10_000 },
  ...{ LOG_LEVEL: 'info', ACCESS_LOG_LINES_PER_SECOND: 0 },
};

const LATENCY = 'milliseconds, a range like 20-200, or several with weights like 2-10x9,80-120';

describe('the configuration', () => {
  it.each([
    ['nothing', {}, {}],
    ['empty values, which compose passes on', { API_PORT: '', LOG_LEVEL: '' }, {}],
    ['ports', { API_PORT: '80', METRICS_PORT: '65535' }, { API_PORT: 80, METRICS_PORT: 65_535 }],
    ['ports chosen by the system', { API_PORT: '0', METRICS_PORT: '0' }, { API_PORT: 0, METRICS_PORT: 0 }],
    ['workers', { API_WORKERS: '2' }, { API_WORKERS: 2 }],
    ['no metrics on the API port', { METRICS_ON_API_PORT: 'false' }, { METRICS_ON_API_PORT: false }],
    ['a latency', { SIMULATED_LATENCY_MS: '20' }, latency([20, 20, 1])],
    ['a range', { SIMULATED_LATENCY_MS: '20-200' }, latency([20, 200, 1])],
    ['ranges with weights', { SIMULATED_LATENCY_MS: '2-10x9,80-120' }, latency([2, 10, 9], [80, 120, 1])],
    ['a ratio', { SIMULATED_ERROR_RATIO: '.05' }, { SIMULATED_ERROR_RATIO: 0.05 }],
    ['no grace', { SHUTDOWN_GRACE_MS: '0' }, { SHUTDOWN_GRACE_MS: 0 }],
    ['no wait for a scrape', { SHUTDOWN_SCRAPE_WAIT_MS: '0' }, { SHUTDOWN_SCRAPE_WAIT_MS: 0 }],
    ['a log level', { LOG_LEVEL: 'debug' }, { LOG_LEVEL: 'debug' }],
    ['an access log', { ACCESS_LOG_LINES_PER_SECOND: '50' }, { ACCESS_LOG_LINES_PER_SECOND: 50 }],
    ['unknown variables', { PATH: '/bin', PORT: 'x' }, {}],
  ])('accepts %s', (_name, environment, expected) => {
    expect(parseConfig(environment)).toEqual({ ...defaults, ...expected });
  });

  it.each([
    ['API_PORT', '65536', 'a port from 0 to 65535'],
    ['API_PORT', '-1', 'a port from 0 to 65535'],
    ['METRICS_PORT', '80a', 'a port from 0 to 65535'],
    ...['0', '17', '1.5'].map((value) => ['API_WORKERS', value, 'a whole number from 1 to 16'] as const),
    ['METRICS_ON_API_PORT', 'yes', 'true or false'],
    ...['200-20', '-5', '2-10x0', '2-10,'].map((value) => ['SIMULATED_LATENCY_MS', value, LATENCY] as const),
    ['SIMULATED_ERROR_RATIO', '1.5', 'a number from 0 to 1'],
    ['SIMULATED_ERROR_RATIO', '5%', 'a number from 0 to 1'],
    ['SHUTDOWN_GRACE_MS', '10s', 'milliseconds'],
    ['SHUTDOWN_SCRAPE_WAIT_MS', '-1', 'milliseconds'],
    ['ACCESS_LOG_LINES_PER_SECOND', '10001', 'a whole number from 0 to 10000'],
    ['LOG_LEVEL', 'loud', 'one of silent, fatal, error, warn, info, debug, trace'],
    ['METRICS_PORT', '5001', 'a port other than API_PORT'],
  ])('rejects %s=%s', (name, value, expected) => {
    expect(() => parseConfig({ [name]: value })).toThrow(
      new ConfigError(`${name}: expected ${expected}, got "${value}"`),
    );
  });

  it('lists every problem at once, one per line', () => {
    const wrong = { API_PORT: '7', METRICS_PORT: '7', SIMULATED_ERROR_RATIO: '2', LOG_LEVEL: 'loud' };
    expect(() => parseConfig(wrong)).toThrow(
      new ConfigError(
        [
          'SIMULATED_ERROR_RATIO: expected a number from 0 to 1, got "2"',
          'LOG_LEVEL: expected one of silent, fatal, error, warn, info, debug, trace, got "loud"',
          'METRICS_PORT: expected a port other than API_PORT, got "7"',
        ].join('\n'),
      ),
    );
  });
});
