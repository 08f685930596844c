/** Lost workers, simulated by their messages. */
import { expect, it } from '@jest/globals';
import { CheckError, InterruptedError, NotSentError, UnreachableError } from '../src/common/errors.ts';
import type { Sender } from '../src/run/sender.ts';
import type { FromWorker, ToWorker } from '../src/run/worker.ts';
import { createWorkerPool, type WorkerProcess } from '../src/run/worker-pool.ts';

class FakeWorker implements WorkerProcess {
  isKilled = false;
  emit: (message: FromWorker) => void = () => {};
  end: (how: string) => void = () => {};
  onStart: () => void = () => {};
  send({ kind }: ToWorker) {
    if (kind === 'start') this.onStart();
  }
  onMessage(listener: (message: FromWorker) => void) {
    this.emit = listener;
  }
  onExit(listener: (how: string) => void) {
    this.end = listener;
  }
  kill() {
    this.isKilled = true;
  }
}

/** A pool of two that is being prepared. */
function prepare() {
  const workers = [new FakeWorker(), new FakeWorker()] as const;
  const interrupt = new AbortController();
  const own: Sender = {
    prepare: async () => {},
    phases: [],
    lost: new AbortController().signal,
    send: () => Promise.reject(new Error('the pool sends')),
    close() {},
  };
  const waiting = [...workers];
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
      startWorker: () => waiting.shift() ?? new FakeWorker(),
    },
    own,
  );
  return { pool, workers, interrupt, prepared: pool.prepare() };
}

async function prepareReady() {
  const { pool, workers, prepared } = prepare();
  setImmediate(() => workers.forEach((worker) => void worker.emit({ kind: 'ready' })));
  await prepared;
  return { pool, workers };
}

it.each(['SIGKILL', 'spawn EAGAIN'])(
  'a worker lost before it is ready ends the preparation: %s',
  async (how) => {
    const { pool, workers, prepared } = prepare();
    setImmediate(() => workers[1].end(how));
    const error = new CheckError(`shard 2/2 was lost: its process ended with ${how}`);
    await expect(prepared).rejects.toEqual(error);
    pool.close();
    expect(workers.map(({ isKilled }) => isKilled)).toEqual([true, true]);
  },
);

it('a worker that reaches no target ends the preparation as unreachable', async () => {
  const { workers, prepared } = prepare();
  setImmediate(() => workers[0].emit({ kind: 'failed', reason: 'connect ECONNREFUSED' }));
  await expect(prepared).rejects.toBeInstanceOf(UnreachableError);
});

it('an interrupt ends the preparation even if a worker is not ready', async () => {
  const { interrupt, prepared } = prepare();
  interrupt.abort(new InterruptedError('interrupted'));
  await expect(prepared).rejects.toThrow('interrupted');
});

it('a worker lost while the others wait for the start aborts `lost`', async () => {
  const { pool, workers } = await prepareReady();
  expect(pool.lost.aborted).toBe(false);
  workers[0].end('SIGKILL');
  expect(pool.lost.reason).toEqual(new CheckError('shard 1/2 was lost: its process ended with SIGKILL'));
});

it.each<[string, boolean, (worker: FakeWorker) => void]>([
  ['each reports that it missed the start', true, (worker) => worker.emit(FAILED)],
  ['one was killed', false, (worker) => worker.end('SIGKILL')],
  ['one had begun', false, (worker) => [BEGUN, FAILED].forEach((message) => void worker.emit(message))],
])('if no worker leaves a report and %s, it is known that nothing was sent: %p', async (_, isKnown, act) => {
  const { pool, workers } = await prepareReady();
  for (const worker of workers) worker.onStart = () => act(worker);
  const error = await pool.send(undefined).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(CheckError);
  expect(error instanceof NotSentError).toBe(isKnown);
  expect(String(error)).toMatch(/shard 1\/2 (could not send: the start was missed|was lost.*)\nshard 2\/2 /);
});

const FAILED: FromWorker = { kind: 'failed', reason: 'the start was missed' };
const NOTHING = { sent: 0, errors: 0, dropped: 0, inFlight: 0, p50Ms: 0, p99Ms: 0 };
const BEGUN: FromWorker = { kind: 'progress', phase: 0, numbers: NOTHING };
