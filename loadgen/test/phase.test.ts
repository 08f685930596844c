import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';

import { watchForAnswers } from '../src/run/phase.ts';
import { planOf } from './reports.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** A phase that fails every second, perhaps is answered once after 20 s, and is looked at after 45 s: was it given up? */
function isGivenUp(pattern: string, answeredInBetween: boolean, failures: number, inFlight: number): boolean {
  const summary = { answered: 0, unanswered: 0 };
  const patience = watchForAnswers(planOf(pattern), summary, () => inFlight);
  for (let second = 0; second < 45; second++) {
    if (second < failures) summary.unanswered++;
    if (second === 20 && answeredInBetween) summary.answered++;
    jest.advanceTimersByTime(1000);
  }
  patience.stop();
  return patience.signal.aborted;
}

it.each([
  ['is given up when it would end only with its last timeout', true, 'hundred', false, 45, 0],
  ['is not when something was answered in between', false, 'hundred', true, 45, 0],
  ['is given up also when its requests hang instead of failing', true, 'hundred', false, 0, 10],
  ['is not when it pauses after a failure, as a slow schedule does', false, 'hundred', false, 1, 0],
  ['is not in the open model, which may see the target come back', false, 'steady', false, 45, 0],
])('a phase that gets no answers for 30 s %s', (_, expected, pattern, answered, failures, inFlight) => {
  expect(isGivenUp(pattern, answered, failures, inFlight)).toBe(expected);
});
