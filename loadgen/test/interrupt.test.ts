import { expect, it } from '@jest/globals';
import { createInterrupt } from '../src/cli/interrupt.ts';

it.each([
  ['stop nothing as long as there are none', [], { stops: false, ended: 0 }],
  ['stop sending at the first', [0], { stops: true, ended: 0 }],
  // docker compose passes one signal on twice.
  ['within half a second count as one', [7_000, 7_011, 7_500], { stops: true, ended: 0 }],
  ['end the program if another follows later', [7_000, 7_011, 7_501], { stops: true, ended: 1 }],
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
