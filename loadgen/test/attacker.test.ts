import { describe, expect, it } from '@jest/globals';
import { type Attack, attack, type Clock, type Schedule, type Starter } from '../src/load/attacker.ts';
import { constantPacer, stagedPacer } from '../src/load/pacer.ts';

/** Time that passes only with `advance`. */
function createClock(): Clock & { advance(durationMs: number): void } {
  let nowMs = 1000;
  let timers: { atMs: number; act: () => void }[] = [];
  return {
    now: () => nowMs,
    after(delayMs, act) {
      const timer = { atMs: nowMs + delayMs, act };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    advance(durationMs) {
      const endMs = nowMs + durationMs;
      for (;;) {
        const next = timers.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
        if (next === undefined) break;
        timers = timers.filter((timer) => timer !== next);
        nowMs = Math.max(nowMs, next.atMs);
        next.act();
      }
      nowMs = endMs;
    },
  };
}

/** A client whose requests end when the test says so. */
class Slots implements Starter {
  inFlight = 0;
  onFree: (answered: boolean) => void = () => {};
  /** Target, intended and actual time of each request, from the start of the attack. */
  readonly started: [target: number, intendedMs: number, atMs: number][] = [];
  readonly #slots: number;
  readonly #clock: Clock;

  constructor(slots: number, clock: Clock) {
    this.#slots = slots;
    this.#clock = clock;
  }

  start(target: number, intendedMs: number): boolean {
    if (this.inFlight >= this.#slots) return false;
    this.inFlight++;
    this.started.push([target, intendedMs - 1000, this.#clock.now() - 1000]);
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
  const clock = createClock();
  const client = new Slots(slots, clock);
  const counts = { drops: 0, ends: 0 };
  const controller = new AbortController();
  const done = attack({
    schedule,
    client,
    recorder: { recordDrop: () => void counts.drops++ },
    clock,
    connections: slots,
    targeter: (n) => n,
    startMs: clock.now(),
    signal: controller.signal,
    ...overrides,
  }).then(() => void counts.ends++);
  return { clock, client, counts, controller, done };
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
  ])('does not wait for answers, and with %i slots that stay busy sends at %j', (slots, times, drops) => {
    const { clock, client, counts } = begin(OPEN, slots);
    clock.advance(2000);
    expect([client.started.map(([, , atMs]) => atMs), counts.drops]).toEqual([times, drops]);
  });

  it('sends at once what became due while it could not run, with the intended times unchanged', () => {
    let lateMs = 0;
    const clock = createClock();
    const client = new Slots(100, clock);
    begin(OPEN, 100, { client, clock: { ...clock, now: () => clock.now() + lateMs } });
    lateMs = 350;
    clock.advance(100);
    expect(client.started.map(([, intendedMs]) => intendedMs)).toEqual([0, 100, 200, 300, 400]);
  });

  it('ends when the last answer is there, not when the last request left', async () => {
    const { clock, client, counts, done } = begin({ kind: 'open', pacer: constantPacer(2, 10) }, 5);
    clock.advance(1000);
    client.finish(true);
    await Promise.resolve();
    expect(counts.ends).toBe(0);
    client.finish(true);
    await done;
  });

  it('stops sending at an abort, and waits for what is in flight', async () => {
    const { clock, client, counts, controller, done } = begin(OPEN, 5);
    clock.advance(150);
    controller.abort();
    clock.advance(5000);
    expect([client.started.length, counts.drops]).toEqual([2, 0]);
    client.finish(true, true);
    await done;
  });

  it('rejects when the targeter fails, instead of leaving the run hanging', async () => {
    const targeter = () => {
      throw new RangeError('no such request');
    };
    await expect(begin(OPEN, 5, { targeter }).done).rejects.toThrow('no such request');
  });
});

describe('the queueing model', () => {
  it('drops nothing: a request without a free connection leaves late, with its intended time', async () => {
    const { clock, client, counts, done } = begin(queueing(3, 10), 1);
    clock.advance(500);
    client.finish(true);
    clock.advance(500);
    client.finish(true, true);
    await done;
    expect(counts.drops).toBe(0);
    expect(client.started).toEqual([
      [0, 0, 0],
      [1, 100, 500],
      [2, 200, 1000],
    ]);
  });

  it('lets the connections that work go on while another one rests', async () => {
    const { clock, client, done } = begin(queueing(4), 2);
    clock.advance(50);
    client.finish(false, true);
    expect([client.started.length, client.inFlight]).toEqual([3, 1]);
    clock.advance(100);
    expect(client.started).toHaveLength(4);
    client.finish(true, true);
    await done;
  });
});

describe('the closed loop', () => {
  it('keeps every connection busy until the count is sent, each number once', async () => {
    const { client, done } = begin(closed(5), 2);
    expect(client.inFlight).toBe(2);
    client.finish(true, true, true, true, true);
    await done;
    expect(client.started.map(([target]) => target)).toEqual([0, 1, 2, 3, 4]);
  });

  it('ends by time, also when no answer comes at that moment', async () => {
    const { clock, client, done } = begin(closed(Number.POSITIVE_INFINITY, 1000), 1);
    client.finish(true);
    clock.advance(1000);
    client.finish(true);
    await done;
    expect(client.started).toHaveLength(2);
  });
});

describe.each([
  [queueing(3), 1],
  [closed(3), 150],
])('a connection that failed: %j', (schedule, intendedMs) => {
  it('rests, so that a backlog does not burn away and a dead target is not hammered', async () => {
    const { clock, client, done } = begin(schedule, 1);
    clock.advance(50);
    client.finish(false);
    clock.advance(99);
    expect(client.started).toHaveLength(1);
    clock.advance(1);
    expect(client.started).toEqual([
      [0, 0, 0],
      [1, intendedMs, 150],
    ]);
    client.finish(false);
    clock.advance(100);
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
