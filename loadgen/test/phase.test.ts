import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { watchForAnswers } from '../src/run/phase.ts';
import { planOf } from './reports.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

interface Story {
  readonly answeredAfter?: number;
  readonly failures: number;
  readonly inFlight?: number;
}

it.each<[string, string, Story, boolean]>([
  ['and would end only with its last timeout', 'hundred', { failures: 45 }, true],
  ['but for one in between', 'hundred', { failures: 45, answeredAfter: 20 }, false],
  ['since its requests hang instead of failing', 'hundred', { failures: 0, inFlight: 10 }, true],
  ['since it pauses after a failure, as a slow schedule does', 'hundred', { failures: 1 }, false],
  ['in the open model, which ends by itself', 'steady', { failures: 45 }, false],
])('a phase that gets no answers for 30 s %s: %s %j is given up: %p', (_, pattern, story, isGivenUp) => {
  const summary = { answered: 0, unanswered: 0 };
  const patience = watchForAnswers(planOf(pattern), summary, () => story.inFlight ?? 0);
  for (let second = 0; second < 45; second++) {
    if (second < story.failures) summary.unanswered++;
    if (second === story.answeredAfter) summary.answered++;
    jest.advanceTimersByTime(1000);
  }
  patience.stop();
  expect(patience.signal.aborted).toBe(isGivenUp);
});
