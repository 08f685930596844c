import { expect, it } from '@jest/globals';
import { createInterrupt } from '../src/cli/interrupt.ts';

/** What has happened after signals at these moments, in milliseconds: whether the sending stops, and how often the end came at once. */
function after(...moments: readonly number[]): { stops: boolean; ended: number } {
  let ms = 0;
  let ended = 0;
  const { signal, onSignal } = createInterrupt(
    () => ended++,
    () => ms,
  );
  for (const moment of moments) {
    ms = moment;
    onSignal();
  }
  return { stops: signal.aborted, ended };
}

it.each([
  ['stop nothing before there is one', [], false, 0],
  ['stop the sending with the first', [0], true, 0],
  ['are one within half a second, as docker compose hands one on twice', [7_000, 7_011, 7_500], true, 0],
  ['end at once with the second that comes later', [7_000, 7_011, 7_501], true, 1],
])('signals %s', (_, moments, stops, ended) => {
  expect(after(...moments)).toEqual({ stops, ended });
});
