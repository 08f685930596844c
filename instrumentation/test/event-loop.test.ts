/** How late the event loop is, as a share of time. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { createLateness } from '../src/metrics/event-loop.ts';

describe('the lateness of the event loop', () => {
  it.each([
    ['zero if every tick is on time', [20, 40, 60, 80], 0],
    ['zero if ticks are no later than timers usually are', [24, 49, 69], 0],
    ['the whole turn that blocked it', [20, 40, 3_040, 3_060], 2_980],
    ['each of several turns', [20, 140, 160, 280], 200],
  ])('is %s', (_name, ticks, expected) => {
    const late = createLateness(0, 20, 5);
    expect(ticks.reduce((sum, at) => sum + late(at), 0)).toBe(expected);
  });

  it('counts by default, is the same for every reader, and keeps no process alive', async () => {
    const code = `
      const express = require('express');
      const { instrument } = require('express-exact-metrics');
      const { registry } = instrument(express());
      const read = () => Promise.all(['late', 'active'].map(async (kind) => {
        const metric = registry.getSingleMetric('nodejs_eventloop_' + kind + '_seconds_total');
        return (await metric.get()).values[0].value;
      }));
      setTimeout(async () => {
        const before = await read();
        const end = performance.now() + 300;
        while (performance.now() < end);
        await new Promise((resolve) => setTimeout(resolve, 50));
        console.log(JSON.stringify([before, await read(), await read()]));
      }, 50);
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ['--eval', code], {
      cwd: import.meta.dirname,
    });
    const [before, first, second] = JSON.parse(stdout) as Record<'0' | '1', number>[];
    // Except for the rest of the timer's period when the block began.
    expect((first?.[0] ?? 0) - (before?.[0] ?? 0)).toBeGreaterThan(0.24);
    expect((first?.[1] ?? 0) - (before?.[1] ?? 0)).toBeGreaterThan(0.29);
    expect(second?.[0]).toBe(first?.[0]);
  });
});
