import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Attack, attack, type Schedule, type Starter, systemClock } from '../src/load/attacker.ts';
import { constantPacer, stagedPacer } from '../src/load/pacer.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());
const advance = (durationMs: number) => jest.advanceTimersByTime(durationMs);

/** A client whose requests the test ends. */
class Slots implements Starter {
  inFlight = 0;
  onFree: (answered: boolean) => void = () => {};
  /** Target, intended and actual time of each request, from the start of the attack. */
  readonly started: [target: number, intendedMs: number, atMs: number][] = [];
  readonly #slots: number;
  readonly #startMs = performance.now();

  constructor(slots: number) {
    this.#slots = slots;
  }

  start(target: number, intendedMs: number): boolean {
    if (this.inFlight >= this.#slots) return false;
    this.inFlight++;
    this.started.push([target, intendedMs - this.#startMs, performance.now() - this.#startMs]);
    return true;
  }

  finish(...answers: readonly boolean[]): void {
    for (const answered of answers) {
      this.inFlight--;
      this.onFree(answered);
    }
  }
}

function begin(schedule: Schedule, slots: number, overrides: Partial<Attack> = {}) {
  const client = new Slots(slots);
  const counts = { drops: 0, ends: 0 };
  const controller = new AbortController();
  const done = attack({
    schedule,
    client,
    recorder: { recordDrop: () => void counts.drops++ },
    clock: systemClock,
    connections: slots,
    targeter: (n) => n,
    startMs: performance.now(),
    signal: controller.signal,
    ...overrides,
  }).then(() => void counts.ends++);
  return { client, counts, controller, done };
}

const pacer = stagedPacer([{ durationMs: 950, fromPerSecond: 10, toPerSecond: 10 }]);
const OPEN: Schedule = { kind: 'open', pacer };
const queueing = (count: number, perSecond = 1000): Schedule => ({
  kind: 'queueing',
  pacer: constantPacer(count, perSecond),
});
const closed = (count: number, durationMs = Number.POSITIVE_INFINITY): Schedule => ({
  kind: 'closed',
  count,
  durationMs,
});

describe('the open model', () => {
  it.each([
    [5, [0, 100, 200, 300, 400], 5], // k6's own case
    [100, [0, 100, 200, 300, 400, 500, 600, 700, 800, 900], 0],
  ])('does not wait for responses, and with %i slots that stay busy sends at %j', (slots, times, drops) => {
    const { client, counts } = begin(OPEN, slots);
    advance(2000);
    expect([client.started.map(([, , atMs]) => atMs), counts.drops]).toEqual([times, drops]);
  });

  it('sends requests immediately that became due while it could not run, with unchanged intended times', () => {
    let lateMs = 0;
    const { client } = begin(OPEN, 100, { clock: { ...systemClock, now: () => performance.now() + lateMs } });
    lateMs = 350;
    advance(100);
    expect(client.started.map(([, intendedMs]) => intendedMs)).toEqual([0, 100, 200, 300, 400]);
  });

  it('sends a request that is due after more time than a timer can take, neither earlier nor late', () => {
    const DAY_MS = 86_400_000;
    const { client, controller } = begin({ kind: 'open', pacer: constantPacer(3, 1 / (60 * 86_400)) }, 5);
    advance(60 * DAY_MS - 1);
    expect(client.started).toHaveLength(1);
    advance(1);
    expect(client.started[1]).toEqual([1, 60 * DAY_MS, 60 * DAY_MS]);
    advance(30 * DAY_MS);
    client.finish(true, true);
    controller.abort();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('ends with the last response, not when the last request is sent', async () => {
    const { client, counts, done } = begin({ kind: 'open', pacer: constantPacer(2, 10) }, 5);
    advance(1000);
    client.finish(true);
    await Promise.resolve();
    expect(counts.ends).toBe(0);
    client.finish(true);
    await done;
  });

  it('stops sending at an abort, and waits for requests in flight', async () => {
    const { client, counts, controller, done } = begin(OPEN, 5);
    advance(150);
    controller.abort();
    advance(5000);
    expect([client.started.length, counts.drops]).toEqual([2, 0]);
    client.finish(true, true);
    await done;
  });

  it('rejects if the targeter throws, instead of hanging', async () => {
    const targeter = () => {
      throw new RangeError('no such request');
    };
    await expect(begin(OPEN, 5, { targeter }).done).rejects.toThrow('no such request');
  });
});

describe('the queueing model', () => {
  it('drops nothing: a request without a free connection is sent late, with its intended time', async () => {
    const { client, counts, done } = begin(queueing(3, 10), 1);
    advance(500);
    client.finish(true);
    advance(500);
    client.finish(true, true);
    await done;
    expect(counts.drops).toBe(0);
    expect(client.started).toEqual([
      [0, 0, 0],
      [1, 100, 500],
      [2, 200, 1000],
    ]);
  });

  it('keeps using working connections while another one pauses', async () => {
    const { client, done } = begin(queueing(4), 2);
    advance(50);
    client.finish(false, true);
    expect([client.started.length, client.inFlight]).toEqual([3, 1]);
    advance(100);
    expect(client.started).toHaveLength(4);
    client.finish(true, true);
    await done;
  });
});

describe('the closed loop', () => {
  it('keeps every connection busy until the count is reached, and sends each number once', async () => {
    const { client, done } = begin(closed(5), 2);
    expect(client.inFlight).toBe(2);
    client.finish(true, true, true, true, true);
    await done;
    expect(client.started.map(([target]) => target)).toEqual([0, 1, 2, 3, 4]);
  });

  it('ends by time, even if no response arrives at that time', async () => {
    const { client, done } = begin(closed(Number.POSITIVE_INFINITY, 1000), 1);
    client.finish(true);
    advance(1000);
    client.finish(true);
    await done;
    expect(client.started).toHaveLength(2);
  });
});

describe.each([
  [queueing(3), 1],
  [closed(3), 150],
])('a connection that failed: %j', (schedule, intendedMs) => {
  it('pauses, so that a backlog is not wasted and a dead target is not hammered', async () => {
    const { client, done } = begin(schedule, 1);
    advance(50);
    client.finish(false);
    advance(99);
    expect(client.started).toHaveLength(1);
    advance(1);
    expect(client.started).toEqual([
      [0, 0, 0],
      [1, intendedMs, 150],
    ]);
    client.finish(false);
    advance(100);
    client.finish(true);
    await done;
  });

  it('does not delay the end at an abort', async () => {
    const { client, controller, done } = begin(schedule, 1);
    client.finish(false);
    controller.abort();
    await done;
    expect(client.started).toHaveLength(1);
  });
});
