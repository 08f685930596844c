/** What a run leaves that ends before its first request. */
import { describe, expect, it } from '@jest/globals';
import { InterruptedError, NotSentError, UsageError } from '../src/common/errors.ts';
import type { Sent } from '../src/report/combine.ts';
import { type RunOptions, run } from '../src/run/run.ts';
import type { Sender } from '../src/run/sender.ts';

function create(overrides: Partial<Sender> = {}, startInMs?: number) {
  const saved: string[] = [];
  const closed = { times: 0 };
  const interrupt = new AbortController();
  const sender: Sender = {
    prepare: async () => {},
    phases: [],
    lost: new AbortController().signal,
    send: async () => NOTHING,
    close: () => void closed.times++,
    ...overrides,
  };
  const options: RunOptions = {
    ...{ target: 'http://localhost', sender, seed: 1, shard: { index: 1, of: 1 }, waitMs: 1000, job: 'api' },
    startAtMs: startInMs === undefined ? undefined : Date.now() + startInMs,
    ...{ prometheus: undefined, verify: false, onlyOnFreshApi: false, signal: interrupt.signal },
    environment: { arguments: [], node: '', system: '', processors: '' },
    observer: {
      note() {},
      phaseStarted() {},
      phaseEnded() {},
      save: async ({ state }) => void saved.push(state),
    },
  };
  return { options, saved, closed, interrupt };
}

const NOTHING: Sent = { state: 'finished', endedAt: null, phases: [], expectedCounts: [], lostShards: [] };
const MONTHS_MS = 100 * 86_400_000;

describe('a run', () => {
  it('is saved as started, and then as it ended', async () => {
    const { options, saved, closed } = create();
    expect(await run(options)).toMatchObject({ report: { state: 'finished' } });
    expect([saved, closed.times]).toEqual([['started', 'finished'], 1]);
  });

  it('that is interrupted while it waits for its start leaves nothing, and ends at once', async () => {
    const { options, saved, closed, interrupt } = create({}, MONTHS_MS);
    setTimeout(() => interrupt.abort(new InterruptedError('interrupted')), 10);
    await expect(run(options)).rejects.toThrow(new InterruptedError('interrupted: nothing was sent'));
    expect([saved, closed.times]).toEqual([[], 1]);
  });

  it('that is interrupted while it waits for the target says that nothing was sent', async () => {
    const { options, interrupt } = create({
      async prepare() {
        interrupt.abort(new InterruptedError('interrupted'));
        throw interrupt.signal.reason;
      },
    });
    const error = { exitCode: 130, message: 'interrupted: nothing was sent' };
    await expect(run(options)).rejects.toMatchObject(error);
  });

  it('that loses a worker while it waits ends with that, and leaves nothing', async () => {
    const lost = new AbortController();
    const { options, saved, closed } = create({ lost: lost.signal }, MONTHS_MS);
    setTimeout(() => lost.abort(new Error('shard 1/2 was lost')), 10);
    await expect(run(options)).rejects.toThrow('shard 1/2 was lost');
    expect([saved, closed.times]).toEqual([[], 1]);
  });

  it('that misses its start says by how much, sends nothing and leaves nothing', async () => {
    const { options, saved } = create({}, -2_500);
    const message = /^the start was missed by 25\d\d ms: not everything was ready/;
    await expect(run(options)).rejects.toThrow(message);
    expect(saved).toEqual([]);
  });

  it('whose sender has sent nothing is saved as that', async () => {
    const { options, saved } = create({ send: () => Promise.reject(new NotSentError('too late')) });
    await expect(run(options)).rejects.toThrow('too late');
    expect(saved).toEqual(['started', 'interrupted']);
  });

  it('that cannot be saved sends nothing', async () => {
    const { options } = create({ send: () => Promise.reject(new Error('it was sent')) });
    const states: string[] = [];
    const save = async ({ state }: { state: string }) => {
      states.push(state);
      if (state === 'started') throw new UsageError('cannot write');
    };
    const unsaved = { ...options, observer: { ...options.observer, save } };
    await expect(run(unsaved)).rejects.toThrow('cannot write');
    expect(states).toEqual(['started', 'interrupted']);
  });
});
