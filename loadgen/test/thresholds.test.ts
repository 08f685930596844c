import { describe, expect, it } from '@jest/globals';
import { checkThreshold, type Measured, parseThreshold, THRESHOLD_PATTERN } from '../src/load/thresholds.ts';

const measured: Measured = {
  sent: 190,
  unsent: 4,
  errors: 2,
  unanswered: 1,
  dropped: 6,
  achievedPerSecond: 99.5,
  latencyMs: { p50: 10, p90: 20, p95: 30, p99: 249.9, 'p99.9': 400, max: 1500, mean: 12 },
};
const none = { sent: 0, unsent: 0, dropped: 0, errors: 0, unanswered: 0, latencyMs: null };

describe('a threshold', () => {
  it.each([
    ['p99<250ms', true, '250ms'],
    ['p99.9<=400ms', true, '400ms'],
    ['max<1s', false, '1.50s'],
    ['mean > 12ms', false, '12.0ms'],
    ['errors<1%', false, '1%'],
    ['errors<=1%', true, '1%'],
    ['errors<3', true, '2'],
    ['unanswered=0', false, '1'],
    ['dropped=0', false, '6'],
    ['dropped<=3%', true, '3%'],
    ['rate>=100', false, '99.5'],
    ['rate>99', true, '99.5'],
  ])('%s: %s, measured %s', (threshold, ok, shown) => {
    expect(checkThreshold(parseThreshold(threshold), measured)).toEqual({ threshold, ok, measured: shown });
  });

  it.each(['p99<250ms', 'max<1h', 'errors<1%', 'errors=0', 'dropped=0', 'rate>0'])(
    '%s fails when there was nothing to measure',
    (threshold) => {
      const result = checkThreshold(parseThreshold(threshold), { ...measured, ...none });
      expect(result).toEqual({ threshold, ok: false, measured: 'no samples' });
    },
  );

  it.each(['p98<1ms', 'p99<250', 'errors<1ms', 'dropped', 'rate>=1%', 'p99<250ms ', ''])(
    'is not "%s"',
    (text) => {
      expect(THRESHOLD_PATTERN.test(text)).toBe(false);
      expect(() => parseThreshold(text)).toThrow('not a threshold');
    },
  );
});
