import { describe, expect, it } from '@jest/globals';
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

describe('signals', () => {
  it('stop nothing before there is one', () => {
    expect(after()).toEqual({ stops: false, ended: 0 });
  });

  it('stop the sending with the first', () => {
    expect(after(0)).toEqual({ stops: true, ended: 0 });
  });

  it('are one where they come within half a second, as docker compose hands one on twice', () => {
    expect(after(7_000, 7_011, 7_500)).toEqual({ stops: true, ended: 0 });
  });

  it('end at once with the second that comes later', () => {
    expect(after(7_000, 7_011, 7_501)).toEqual({ stops: true, ended: 1 });
  });
});
