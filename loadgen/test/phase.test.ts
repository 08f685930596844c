import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { patternSchema } from '../src/pattern.ts';
import { PATTERNS } from '../src/patterns.ts';
import { watchForAnswers } from '../src/phase.ts';
import { planPhase } from '../src/plan.ts';
import { Summary } from '../src/summary.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** Lets a phase fail for 20 s, then once succeed or not, then fail on; tells whether it was given up after 45 s. */
function isGivenUp(pattern: string, answeredInBetween: boolean): boolean {
  const phase = planPhase(pattern, patternSchema.parse(PATTERNS[pattern]), { thresholds: [], seed: 1 });
  const summary = new Summary();
  const patience = watchForAnswers(phase, summary, performance.now());
  for (let second = 0; second < 45; second++) {
    summary.recordFailure('refused', 0, Number.NaN, 0);
    if (second === 20 && answeredInBetween) summary.recordAnswer(200, true, 0, 0, 0);
    jest.advanceTimersByTime(1000);
  }
  patience.stop();
  return patience.signal.aborted;
}

describe('a phase that gets no answers for 30 s', () => {
  it('is given up when it would end only with its last timeout', () => {
    expect(isGivenUp('hundred', false)).toBe(true);
  });

  it('is not when something was answered in between', () => {
    expect(isGivenUp('hundred', true)).toBe(false);
  });

  it('is not in the open model, which ends by itself and may see the target come back', () => {
    expect(isGivenUp('steady', false)).toBe(false);
  });
});
