/** Workers that are lost, without a process: the messages are enough. */
import { describe, expect, it } from '@jest/globals';
import { CheckError, InterruptedError, NotSentError, UnreachableError } from '../src/common/errors.ts';
import type { Sender } from '../src/run/sender.ts';
import type { FromWorker, ToWorker } from '../src/run/worker.ts';
import { createWorkerPool, type WorkerProcess } from '../src/run/worker-pool.ts';

class FakeWorker implements WorkerProcess {
  readonly got: ToWorker['kind'][] = [];
  isKilled = false;
  tell: (message: FromWorker) => void = () => {};
  end: (how: string) => void = () => {};
  onStart: () => void = () => {};
  send({ kind }: ToWorker) {
    this.got.push(kind);
    if (kind === 'start') this.onStart();
  }
  onMessage(listener: (message: FromWorker) => void) {
    this.tell = listener;
  }
  onExit(listener: (how: string) => void) {
    this.end = listener;
  }
  kill() {
    this.isKilled = true;
  }
}

function create() {
  const workers = [new FakeWorker(), new FakeWorker()];
  const interrupt = new AbortController();
  const own: Sender = {
    prepare: async () => {},
    phases: [],
    lost: new AbortController().signal,
    send: () => Promise.reject(new Error('the pool sends')),
    close() {},
  };
  let started = 0;
  const pool = createWorkerPool(
    {
      origin: { url: '', secure: false, hostname: '', port: 0, host: '', prefix: '' },
      phases: [],
      waitMs: 1000,
      observer: { note() {}, phaseStarted() {}, phaseEnded() {} },
      signal: interrupt.signal,
      workers: 2,
      shard: { index: 1, of: 1 },
      job: { target: '', patterns: [], overrides: { thresholds: [], seed: 1 }, waitMs: 1000 },
      startWorker: () => workers[started++] ?? new FakeWorker(),
    },
    own,
  );
  return { pool, workers: workers as [FakeWorker, FakeWorker], interrupt };
}

describe('a worker that is lost', () => {
  it.each(['SIGKILL', 'spawn EAGAIN'])('before it is ready ends the preparation: %s', async (how) => {
    const { pool, workers } = create();
    const prepared = pool.prepare();
    setImmediate(() => workers[1].end(how));
    await expect(prepared).rejects.toEqual(
      new CheckError(`shard 2/2 was lost: its process ended with ${how}`),
    );
    pool.close();
    expect(workers.map(({ isKilled }) => isKilled)).toEqual([true, true]);
  });

  it('because it reaches no target ends the preparation as unreachable', async () => {
    const { pool, workers } = create();
    const prepared = pool.prepare();
    setImmediate(() => workers[0].tell({ kind: 'failed', reason: 'connect ECONNREFUSED' }));
    await expect(prepared).rejects.toBeInstanceOf(UnreachableError);
  });

  it('aborts `lost` while the others wait for the start', async () => {
    const { pool, workers } = create();
    const prepared = pool.prepare();
    setImmediate(() => {
      for (const worker of workers) worker.tell({ kind: 'ready' });
    });
    await prepared;
    expect(pool.lost.aborted).toBe(false);
    workers[0].end('SIGKILL');
    expect(pool.lost.reason).toEqual(new CheckError('shard 1/2 was lost: its process ended with SIGKILL'));
  });
});

async function sendAfter(act: (worker: FakeWorker) => void): Promise<unknown> {
  const { pool, workers } = create();
  const prepared = pool.prepare();
  setImmediate(() => {
    for (const worker of workers) worker.tell({ kind: 'ready' });
  });
  await prepared;
  for (const worker of workers) worker.onStart = () => act(worker);
  return pool.send(undefined).catch((error: unknown) => error);
}

describe('when no worker leaves a report', () => {
  it('nothing was sent where each says that it missed the start', async () => {
    const error = await sendAfter((worker) =>
      worker.tell({ kind: 'failed', reason: 'the start was missed' }),
    );
    expect(error).toBeInstanceOf(NotSentError);
    expect(String(error)).toMatch(/shard 1\/2 could not send: the start was missed\nshard 2\/2 could not/);
  });

  it('what was sent is not known where one was killed, or had begun', async () => {
    expect(await sendAfter((worker) => worker.end('SIGKILL'))).not.toBeInstanceOf(NotSentError);
    const begun = await sendAfter((worker) => {
      worker.tell({ kind: 'phase-started' });
      worker.tell({ kind: 'failed', reason: 'a fault' });
    });
    expect(begun).toBeInstanceOf(CheckError);
    expect(begun).not.toBeInstanceOf(NotSentError);
  });
});

it('an interrupt ends the preparation although a worker is not ready', async () => {
  const { pool, interrupt } = create();
  const prepared = pool.prepare();
  interrupt.abort(new InterruptedError('interrupted'));
  await expect(prepared).rejects.toThrow('interrupted');
});
