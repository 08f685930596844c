// `make up` that a person interrupts, at twenty moments between its beginning and its end, and `make up` twice at once.

import { setTimeout as moment } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type CommandResult,
  containersOf,
  createProject,
  type Project,
  removeProject,
  stackCommand,
  startStackCommand,
} from '../support/commands.ts';
import { figure } from '../support/faults.ts';
import { eventually, queryValue } from '../support/prometheus-api.ts';

const startTimeoutMs = 180_000;
const removeTimeoutMs = 90_000;

const MOMENTS = 20;

let project: Project;

beforeEach(async () => {
  project = await createProject('start');
});

afterEach(() => removeProject(project), removeTimeoutMs);

/** How long one that nobody interrupts takes, in milliseconds: the last that was seen. */
let wholeMs: number | undefined;

/** Interrupts a start at a share of its time. A start that was over by then tells how long one takes now, and another is made. */
async function interruptAt(share: number): Promise<CommandResult> {
  for (;;) {
    const startMs = performance.now();
    const up = startStackCommand(project, ['up']);
    if (wholeMs !== undefined) await Promise.race([moment(wholeMs * share), up.result]);
    if (wholeMs !== undefined) up.interrupt();
    const result = await up.result;
    if (result.exitCode !== 0) return result;
    expectProof(result);
    wholeMs = performance.now() - startMs;
    await removeProject(project);
    project = await createProject('start');
  }
}

function expectProof({ exitCode, stdout, stderr }: CommandResult): void {
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
      expectProof(await stackCommand(project, ['up']));
      const url = `http://127.0.0.1:${project.ports.PROMETHEUS_HOST_PORT}`;
      expect(await queryValue(url, 'up{job="api"}')).toBe(1);
    },
    startTimeoutMs * 3,
  );
});

describe('make up twice at once', () => {
  it(
    'is done by one, and the other says so and touches nothing',
    async () => {
      const first = startStackCommand(project, ['up']);
      const second = startStackCommand(project, ['up']);
      const results = await Promise.all([first.result, second.result]);
      const [winner, other] = results.sort((a, b) => (a.exitCode ?? 0) - (b.exitCode ?? 0)) as [
        CommandResult,
        CommandResult,
      ];
      expectProof(winner);
      expect(other).toMatchObject({
        exitCode: 4,
        stderr: expect.stringContaining('error: another command is changing this stack: make up (process '),
      });
      const before = await containersOf(project);
      expectProof(await stackCommand(project, ['up']));
      expect(await containersOf(project)).toEqual(before);
    },
    startTimeoutMs * 2,
  );

  it(
    'make down meanwhile is refused as well',
    async () => {
      const up = startStackCommand(project, ['up']);
      await eventually(
        'a container',
        async () => ((await containersOf(project)).length > 0 ? true : undefined),
        startTimeoutMs,
      );
      expect(await stackCommand(project, ['down'])).toMatchObject({ exitCode: 4 });
      expectProof(await up.result);
    },
    startTimeoutMs * 2,
  );
});
