import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { sleep } from '../src/common/wait.ts';

afterEach(() => void jest.restoreAllMocks());

describe('sleep', () => {
  it('ends with the reason of a signal, before and during', async () => {
    const controller = new AbortController();
    const during = sleep(86_400_000, controller.signal);
    controller.abort(new Error('enough'));
    await expect(during).rejects.toThrow('enough');
    await expect(sleep(1, controller.signal)).rejects.toThrow('enough');
  });

  it('leaves no listener on the signal', async () => {
    const { signal } = new AbortController();
    const removed = jest.spyOn(signal, 'removeEventListener');
    await sleep(5, signal);
    expect(removed).toHaveBeenCalledTimes(1);
  });
});
