import { describe, expect, it } from '@jest/globals';
import { partOf, type Shard, shareOf, WHOLE } from '../src/load/shard.ts';
import type { Overrides } from '../src/run/plan.ts';
import { planOf } from './reports.ts';

/** Every request of a phase, as its offset in ms and its target; the offset is undefined in a closed loop. */
function requestsOf(name: string, shard: Shard, overrides: Partial<Overrides> = {}) {
  const { schedule, targeter } = planOf(name, { seed: 7, ...overrides }, shard);
  const pacer = schedule.kind === 'closed' ? undefined : schedule.pacer;
  const count = schedule.kind === 'closed' ? schedule.count : schedule.pacer.count;
  return Array.from({ length: count }, (_, n) => ({ offsetMs: pacer?.offsetMs(n), target: targeter(n) }));
}

const shardsOf = (of: number) => Array.from({ length: of }, (_, n) => ({ index: n + 1, of }));

describe('the shards of a schedule', () => {
  it.each([
    ['hundred', 4, {}],
    ['hundred', 3, { ratePerSecond: 50 }],
    ['not-found', 8, {}],
    ['steady', 4, {}],
    ['spike', 7, { ratePerSecond: 333, durationMs: 9000 }],
    ['mixed', 1, {}],
  ] as const)('of %s add up to the whole, request by request (%i shards)', (name, of, overrides) => {
    const whole = requestsOf(name, WHOLE, overrides);
    const parts = shardsOf(of).map((shard) => requestsOf(name, shard, overrides));
    const merged = whole.map((_, k) => parts[k % of]?.[Math.floor(k / of)]);
    expect(merged).toEqual(whole);
    expect(parts.reduce((sum, part) => sum + part.length, 0)).toBe(whole.length);
  });

  it('of hundred send exactly 100', () => {
    expect(shardsOf(4).map((shard) => requestsOf('hundred', shard).length)).toEqual([25, 25, 25, 25]);
    expect(shardsOf(7).map((shard) => shareOf(100, shard))).toEqual([15, 15, 14, 14, 14, 14, 14]);
  });

  it('share the limit of connections and keep the duration', () => {
    const phases = shardsOf(3).map((shard) => planOf('steady', {}, shard));
    expect(phases.map(({ connections }) => connections)).toEqual([34, 33, 33]);
    expect(phases.map(({ plan }) => plan.requests)).toEqual([1500, 1500, 1500]);
  });

  it('can be divided again: the workers of shard 2 of 3 are shards of the whole', () => {
    const parts = [1, 2].map((n) => partOf({ index: 2, of: 3 }, n, 2));
    expect(parts).toEqual([
      { index: 2, of: 6 },
      { index: 5, of: 6 },
    ]);
    const own = requestsOf('steady', { index: 2, of: 3 });
    const [first = [], second = []] = parts.map((shard) => requestsOf('steady', shard));
    expect(own.map((_, k) => (k % 2 === 0 ? first : second)[k >> 1])).toEqual(own);
  });
});
