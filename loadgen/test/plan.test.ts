import { describe, expect, it } from '@jest/globals';
import { parseThreshold } from '../src/load/thresholds.ts';
import { PATTERNS } from '../src/pattern/built-in.ts';
import { plannedMs, plannedRequests } from '../src/run/plan.ts';
import { planOf } from './reports.ts';

/** The requests of an exact phase: counts by `METHOD path`. */
function requestsOf(name: string): Record<string, number> {
  const phase = planOf(name);
  const { targets, targeter } = phase;
  const sent = Array.from({ length: plannedRequests(phase) ?? 0 }, (_, n) => targets[targeter(n)]);
  const groups = Map.groupBy(sent, (target) => `${target?.method} ${target?.path}`);
  return Object.fromEntries([...groups].map(([key, all]) => [key, all.length]));
}

describe('the built-in patterns', () => {
  it('hundred sends the requests of the lab', () => {
    const mixture = { 'POST /products': 40, 'GET /products': 30, 'GET /cart': 20, 'POST /cart': 10 };
    expect(requestsOf('hundred')).toEqual(mixture);
  });

  it('not-found sends 33 requests, each to another path', () => {
    expect(Object.values(requestsOf('not-found'))).toEqual(Array<number>(33).fill(1));
  });

  it.each([
    ['steady', 1500, 30],
    ['ramp', 8000, 60],
    ['spike', 6640, 44],
    ['mixed', 3000, 60],
  ])('%s sends %i requests in %i s', (name, requests, seconds) => {
    const phase = planOf(name);
    expect([plannedRequests(phase), plannedMs(phase)]).toEqual([requests, seconds * 1000]);
  });

  it('each target declares its expected status and labels', () => {
    const targets = Object.values(PATTERNS).flatMap((pattern) => pattern.targets);
    const silent = targets.filter((target) => target.expect === undefined || target.series === undefined);
    expect(silent).toEqual([]);
  });
});

describe('the flags', () => {
  it('--rate sets the highest rate and --duration the length; the shape stays', () => {
    const phase = planOf('spike', { ratePerSecond: 1000, durationMs: 4400 });
    const { schedule } = phase;
    if (schedule.kind !== 'open') throw new Error('spike is an open schedule');
    expect([plannedRequests(phase), plannedMs(phase)]).toEqual([1328, 4400]);
    expect([0, 2200, 4400].map(schedule.pacer.ratePerSecondAt)).toEqual([40, 1000, 40]);
  });

  it('--rate makes an exact pattern queueing, so that its count stays exact', () => {
    const phase = planOf('hundred', { ratePerSecond: 50 });
    expect([phase.schedule.kind, plannedRequests(phase), plannedMs(phase)]).toEqual(['queueing', 100, 2000]);
  });

  it('--rate max closes the loop for the length of the pattern', () => {
    const { schedule } = planOf('steady', { ratePerSecond: 'max', durationMs: 5000 });
    expect(schedule).toEqual({ kind: 'closed', count: Number.POSITIVE_INFINITY, durationMs: 5000 });
  });

  it('every request must be answered unless a threshold states otherwise', () => {
    expect(planOf('hundred').plan.thresholds).toEqual(['unanswered=0']);
    const thresholds = [parseThreshold('errors<5%')];
    expect(planOf('hundred', { thresholds }).plan.thresholds).toEqual(['errors<5%']);
  });

  it('the limit of requests in flight grows with the rate, up to the limit on open files', () => {
    const boundAt = (ratePerSecond: number) => planOf('steady', { ratePerSecond }).connections;
    expect([50, 2000, 100_000].map(boundAt)).toEqual([100, 1000, 1000]);
    expect(planOf('steady', { connections: 7 }).connections).toBe(7);
  });
});
