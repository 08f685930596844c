// `make up` that a user interrupts, at twenty moments between its beginning and its end, and `make up` twice at once.

import { setTimeout as moment } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CommandResult } from '../support/command.ts';
import { figure } from '../support/faults.ts';
import { Project } from '../support/project.ts';
import { queryValue } from '../support/prometheus.ts';
import { eventually } from '../support/until.ts';

const MOMENTS = 20;

let project: Project;

beforeEach(async () => {
  project = await Project.create('start');
});

afterEach(() => project.remove());

const startUp = () => project.start('scripts/stack.sh', ['up']);

/** How long a start without an interruption took the last time, in milliseconds. */
let wholeMs: number | undefined;

/** Interrupts a start at a share of its time. One that was over by then measures how long a start takes, and another is made. */
async function interruptAt(share: number): Promise<CommandResult> {
  for (;;) {
    const startMs = performance.now();
    const up = startUp();
    if (wholeMs !== undefined) await Promise.race([moment(wholeMs * share), up.result]);
    if (wholeMs !== undefined) up.interrupt();
    const result = await up.result;
    if (result.exitCode !== 0) return result;
    expectVerified(result);
    wholeMs = performance.now() - startMs;
    await project.remove();
    project = await Project.create('start');
  }
}

function expectVerified({ exitCode, stdout, stderr }: CommandResult): void {
  // Together, so that a failure shows all.
  expect(`${stderr}\n${stdout}\nstatus ${exitCode}`).toMatch(/counted exactly once[\s\S]*status 0$/);
}

describe('make up that is interrupted', () => {
  it.each(Array.from({ length: MOMENTS }, (_, i) => [i + 1, ((i + 0.5) * 100) / MOMENTS]))(
    'at moment %i (%d %% of its time) comes up when it is run again, verification included',
    async (_number, percent) => {
      const { exitCode, stderr } = await interruptAt(percent / 100);
      figure(`ended with ${exitCode} ${/interrupted.*/.exec(stderr)?.[0] ?? ''}`);
      expect(`${stderr}\nstatus ${exitCode}`).toMatch(/status 130$/);
      expectVerified(await project.stack(['up']));
      expect(await queryValue(project.prometheusUrl, 'up{job="api"}')).toBe(1);
    },
  );
});

describe('make up twice at once', () => {
  it('is done by one, and the other says so and touches nothing', async () => {
    const results = await Promise.all([startUp().result, startUp().result]);
    const [winner, other] = results[0].exitCode === 0 ? results : [results[1], results[0]];
    expectVerified(winner);
    const reason = 'error: another command is changing this stack: make up (process ';
    expect(other).toMatchObject({ exitCode: 4, stderr: expect.stringContaining(reason) });
    const before = await project.containers();
    expectVerified(await project.stack(['up']));
    expect(await project.containers()).toEqual(before);
  });

  it('make down meanwhile is refused as well', async () => {
    const up = startUp();
    await eventually('a container', async () => (await project.containers()).length > 0, 180_000);
    expect(await project.stack(['down'])).toMatchObject({ exitCode: 4 });
    expectVerified(await up.result);
  });
});
