/** Runs that end before their first request. */
import { describe, expect, it } from '@jest/globals';
import { InterruptedError, NotSentError, UsageError } from '../src/common/errors.ts';
import { parseOrigin } from '../src/http/origin.ts';
import { WHOLE } from '../src/load/shard.ts';
import { type RunOptions, run } from '../src/run/run.ts';
import type { Sender } from '../src/run/sender.ts';

function create(overrides: Partial<Sender> = {}, startInMs?: number) {
  const seen = { saved: [] as string[], closed: 0 };
  const interrupt = new AbortController();
  const sender: Sender = {
    prepare: async () => {},
    phases: [],
    lost: new AbortController().signal,
    send: async () => ({ state: 'finished', endedAt: null, phases: [], expectedCounts: [], lostShards: [] }),
    close: () => void seen.closed++,
    ...overrides,
  };
  const options: RunOptions = {
    origin: parseOrigin('http://localhost'),
    sender,
    seed: 1,
    shard: WHOLE,
    startAtMs: startInMs === undefined ? undefined : Date.now() + startInMs,
    waitMs: 1000,
    prometheus: undefined,
    job: 'api',
    metrics: { metrics: 'auto', ignoreRoutes: [] },
    verify: false,
    onlyOnFreshApi: false,
    environment: { arguments: [], node: '', system: '', processors: '' },
    signal: interrupt.signal,
    observer: {
      note() {},
      phaseStarted() {},
      phaseEnded() {},
      save: async ({ state }) => void seen.saved.push(state),
    },
  };
  return { options, seen, interrupt };
}

const MONTHS_MS = 100 * 86_400_000;
const INTERRUPTED = new InterruptedError('interrupted');
const NOTHING_SENT = { exitCode: 130, message: 'interrupted: nothing was sent' };

describe('a run', () => {
  it('that is interrupted while it waits for its start leaves nothing, and ends immediately', async () => {
    const { options, seen, interrupt } = create({}, MONTHS_MS);
    setTimeout(() => interrupt.abort(INTERRUPTED), 10);
    await expect(run(options)).rejects.toMatchObject(NOTHING_SENT);
    expect(seen).toEqual({ saved: [], closed: 1 });
  });

  it('that loses a worker while it waits ends with that error, and leaves nothing', async () => {
    const lost = new AbortController();
    const { options, seen } = create({ lost: lost.signal }, MONTHS_MS);
    setTimeout(() => lost.abort(new Error('shard 1/2 was lost')), 10);
    await expect(run(options)).rejects.toThrow('shard 1/2 was lost');
    expect(seen).toEqual({ saved: [], closed: 1 });
  });

  it('that misses its start reports by how much, sends nothing and leaves nothing', async () => {
    const { options, seen } = create({}, -2_500);
    await expect(run(options)).rejects.toThrow(
      /^the start was missed by \d{4,} ms: not every process was ready/,
    );
    expect(seen.saved).toEqual([]);
  });

  it('whose sender sent nothing is saved as such', async () => {
    const { options, seen } = create({ send: () => Promise.reject(new NotSentError('too late')) });
    await expect(run(options)).rejects.toThrow('too late');
    expect(seen.saved).toEqual(['started', 'interrupted']);
  });

  it('that cannot be saved sends nothing', async () => {
    const { options, seen } = create({ send: () => Promise.reject(new Error('it was sent')) });
    const save: RunOptions['observer']['save'] = async ({ state }) => {
      seen.saved.push(state);
      if (state === 'started') throw new UsageError('cannot write');
    };
    const unsaved = { ...options, observer: { ...options.observer, save } };
    await expect(run(unsaved)).rejects.toThrow('cannot write');
    expect(seen.saved).toEqual(['started', 'interrupted']);
  });
});
