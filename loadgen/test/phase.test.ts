import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import { watchForAnswers } from '../src/run/phase.ts';
import { planOf } from './reports.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

interface Story {
  readonly answeredInBetween?: boolean;
  readonly failures?: number;
  readonly inFlight?: number;
}

/** A phase that fails every second, perhaps is answered once after 20 s, and is looked at after 45 s: was it given up? */
function isGivenUp(
  pattern: string,
  { answeredInBetween = false, failures = 45, inFlight = 0 }: Story = {},
): boolean {
  const phase = planOf(pattern);
  const summary = { answered: 0, unanswered: 0 };
  const patience = watchForAnswers(phase, summary, () => inFlight);
  for (let second = 0; second < 45; second++) {
    if (second < failures) summary.unanswered++;
    if (second === 20 && answeredInBetween) summary.answered++;
    jest.advanceTimersByTime(1000);
  }
  patience.stop();
  return patience.signal.aborted;
}

describe('a phase that gets no answers for 30 s', () => {
  it('is given up when it would end only with its last timeout', () => {
    expect(isGivenUp('hundred')).toBe(true);
  });

  it('is not when something was answered in between', () => {
    expect(isGivenUp('hundred', { answeredInBetween: true })).toBe(false);
  });

  it('is given up also when its requests hang instead of failing', () => {
    expect(isGivenUp('hundred', { failures: 0, inFlight: 10 })).toBe(true);
  });

  it('is not when it pauses after a failure, as a slow schedule does', () => {
    expect(isGivenUp('hundred', { failures: 1 })).toBe(false);
  });

  it('is not in the open model, which ends by itself and may see the target come back', () => {
    expect(isGivenUp('steady')).toBe(false);
  });
});
