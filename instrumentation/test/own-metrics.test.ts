/** The metrics that users define in workers, when their collectors are slow or fail, and when their worker ends. */
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Counter, Gauge, Registry } from '@prometheus-io/client';
import { until } from '../../test/support/until.ts';
import { createPrimary, createWorker } from './reporting.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

const own = (lines: readonly string[]) => lines.filter((line) => /^(jobs|slow|sizes|times|level)/.test(line));

/** A collector that runs until `end` is called. */
function createCollector() {
  const running: ((error?: Error) => void)[] = [];
  let started = 0;
  const collect = () => {
    started++;
    return new Promise<void>((resolve, reject) =>
      running.push((error) => (error ? reject(error) : resolve())),
    );
  };
  return {
    collect: collect as unknown as () => void,
    started: () => started,
    running,
    end(error?: Error) {
      for (const one of running.splice(0)) one(error);
    },
  };
}

/** A registry with a counter, and one whose collector is slow. */
function defineCounters() {
  const registry = new Registry();
  const registers = [registry];
  const slow = createCollector();
  return {
    registry,
    slow,
    jobs: new Counter({ name: 'jobs_total', help: 'Jobs', registers }),
    slowJobs: new Counter({ name: 'slow_total', help: 'Slow', registers, collect: slow.collect }),
  };
}

async function read(primary: ReturnType<typeof createPrimary>, slow: ReturnType<typeof createCollector>) {
  const lines = primary.lines();
  await until('its start', () => slow.started() === 1);
  slow.end();
  await lines;
}

describe('a slow collector in a worker', () => {
  it('delays a scrape, which then has values from after its start', async () => {
    const primary = createPrimary();
    const registry = new Registry();
    const slow = createCollector();
    const level = new Gauge({ name: 'level', help: 'Level', registers: [registry], collect: slow.collect });
    createWorker(primary).add(registry);
    level.set(1);
    const lines = primary.lines(10);
    await until('the worker to be asked a third time', () => primary.questions() > 2);
    level.set(2);
    slow.end();
    expect(own(await lines)).toEqual(['level 2']);
    expect(slow.started()).toBe(1);
  });

  it('fails the scrape and is named if it never ends, and the next scrape is right', async () => {
    const primary = createPrimary();
    const { registry, slow, jobs } = defineCounters();
    createWorker(primary).add(registry);
    await read(primary, slow);
    jobs.inc();
    const timeouts = jest.spyOn(globalThis, 'setTimeout');
    const failed = expect(primary.lines()).rejects.toThrow('worker 1: slow_total: no values within 10000 ms');
    const limit = () => timeouts.mock.calls.find(([, ms]) => ms === 10_000)?.[0];
    await until('the reading to have a limit', () => slow.started() === 2 && limit() !== undefined);
    timeouts.mock.calls.forEach(([end, ms]) => {
      if (ms === 10_000) end();
    });
    await failed;
    expect(own(await primary.now())).toEqual(['jobs_total 1', 'slow_total 0']);
    const next = primary.lines();
    await until('the next reading', () => slow.started() === 3);
    slow.end();
    expect(own(await next)).toEqual(['jobs_total 1', 'slow_total 0']);
  });

  it('delays no reports of other counters', async () => {
    const primary = createPrimary({ intervalMs: 10 });
    const { registry, slow, jobs } = defineCounters();
    createWorker(primary).add(registry);
    await until('its start', () => slow.started() === 1);
    jobs.inc(3);
    await until('the report', async () => (await primary.now()).includes('jobs_total 3'));
    slow.end();
  });

  it('runs once at a time, however many reports are due', async () => {
    const primary = createPrimary({ intervalMs: 10 });
    const { registry, slow } = defineCounters();
    const worker = createWorker(primary);
    worker.add(registry);
    await until('many reports', () => worker.sent() > 40);
    expect(slow.started()).toBe(1);
    slow.end();
    await until('the next one', () => slow.started() === 2);
    slow.end();
    expect(slow.running).toHaveLength(0);
  });

  it('makes the reports of its worker older', async () => {
    const primary = createPrimary({ intervalMs: 10 });
    const { registry, slow } = defineCounters();
    const worker = createWorker(primary);
    worker.add(registry);
    await until('its start', () => slow.started() === 1);
    const startedMs = performance.now();
    const ageMs = () => 1000 * Number(primary.members.ages()[0]?.value);
    const reports = worker.sent();
    await until('more reports', () => worker.sent() > reports + 10);
    const atLeastMs = performance.now() - startedMs;
    expect(ageMs()).toBeGreaterThanOrEqual(atLeastMs);
    worker.kill();
    expect(primary.members.lostSeconds * 1000).toBeGreaterThanOrEqual(atLeastMs);
    slow.end();
  });
});

describe('a worker that ends', () => {
  it.each([
    ['fails', (slow: ReturnType<typeof createCollector>) => slow.end(new Error('broken'))],
    ['never ends', () => undefined],
  ])('loses only the counter whose collector %s, and exposes that', async (_how, end) => {
    const primary = createPrimary();
    const { registry, slow, jobs, slowJobs } = defineCounters();
    const worker = createWorker(primary);
    worker.add(registry);
    await read(primary, slow);
    jobs.inc(2);
    slowJobs.inc(2);
    const sinceMs = performance.now();
    const stopped = worker.stop();
    await until('the last reading', () => slow.started() === 2);
    const atLeastMs = performance.now() - sinceMs;
    end(slow);
    await stopped;
    expect(own(await primary.now())).toEqual(['jobs_total 2', 'slow_total 0']);
    expect(primary.members.lost).toBe(1);
    expect(primary.members.lostSeconds * 1000).toBeGreaterThanOrEqual(atLeastMs);
    slow.end();
  });

  it('loses nothing if all its counters can be read', async () => {
    const primary = createPrimary();
    const { registry, slow, slowJobs } = defineCounters();
    const worker = createWorker(primary);
    worker.add(registry);
    await read(primary, slow);
    slowJobs.inc(2);
    const stopped = worker.stop();
    await until('the last reading', () => slow.started() === 2);
    slow.end();
    await stopped;
    expect(own(await primary.now())).toEqual(['jobs_total 0', 'slow_total 2']);
    expect([primary.members.lost, primary.members.lostSeconds]).toEqual([0, 0]);
  });

  it('exposes the time since its counters were last read if it cannot read them any more', async () => {
    const primary = createPrimary();
    const registry = new Registry();
    const jobs = new Counter({ name: 'jobs_total', help: 'Jobs', registers: [registry] });
    const worker = createWorker(primary);
    worker.add(registry);
    await primary.lines();
    const sinceMs = performance.now();
    jobs.inc();
    await until('some time to pass', () => performance.now() > sinceMs + 50);
    worker.exit();
    expect(primary.members.lost).toBe(1);
    expect(primary.members.lostSeconds).toBeGreaterThanOrEqual(0.05);
  });
});
