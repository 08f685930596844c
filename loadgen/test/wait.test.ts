import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { after, sleep } from '../src/common/wait.ts';
import { systemClock } from '../src/load/attacker.ts';

const DAY_MS = 86_400_000;

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe('a wait longer than a timer can be', () => {
  let ended = 0;
  const end = () => ended++;
  beforeEach(() => {
    ended = 0;
  });

  it('ends after its time, not immediately', () => {
    after(60 * DAY_MS, end);
    jest.advanceTimersByTime(60 * DAY_MS - 1);
    expect(ended).toBe(0);
    jest.advanceTimersByTime(1);
    expect(ended).toBe(1);
  });

  it('can be cancelled after its first timer', () => {
    const cancel = after(60 * DAY_MS, end);
    jest.advanceTimersByTime(30 * DAY_MS);
    cancel();
    jest.advanceTimersByTime(60 * DAY_MS);
    expect([ended, jest.getTimerCount()]).toEqual([0, 0]);
  });

  it('may have no end', () => {
    after(Number.POSITIVE_INFINITY, end);
    jest.advanceTimersByTime(100 * DAY_MS);
    expect(ended).toBe(0);
  });

  it('is used by the schedules', () => {
    systemClock.after(30 * DAY_MS, end);
    jest.advanceTimersByTime(29 * DAY_MS);
    expect(ended).toBe(0);
  });
});

describe('sleep', () => {
  it('ends with the reason of a signal, before and during', async () => {
    const controller = new AbortController();
    const during = sleep(30 * DAY_MS, controller.signal);
    controller.abort(new Error('enough'));
    await expect(during).rejects.toThrow('enough');
    await expect(sleep(1, controller.signal)).rejects.toThrow('enough');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('leaves no listener on the signal', async () => {
    const { signal } = new AbortController();
    const removed = jest.spyOn(signal, 'removeEventListener');
    const over = sleep(5, signal);
    jest.advanceTimersByTime(5);
    await over;
    expect(removed).toHaveBeenCalledTimes(1);
  });
});
