import { expect, it } from '@jest/globals';
import { createInterrupt } from '../src/cli/interrupt.ts';

it.each([
  ['stop nothing before there is one', [], { stops: false, ended: 0 }],
  ['stop the sending with the first', [0], { stops: true, ended: 0 }],
  // docker compose passes one signal on twice.
  ['within half a second are one', [7_000, 7_011, 7_500], { stops: true, ended: 0 }],
  ['end at once with the second that comes later', [7_000, 7_011, 7_501], { stops: true, ended: 1 }],
])('signals %s', (_, moments, outcome) => {
  let nowMs = 0;
  let ended = 0;
  const { signal, onSignal } = createInterrupt(
    () => ended++,
    () => nowMs,
  );
  for (const moment of moments) {
    nowMs = moment;
    onSignal();
  }
  expect({ stops: signal.aborted, ended }).toEqual(outcome);
});
