// A user interrupts `make up` at twenty moments between its start and its end, and runs `make up` twice at once.
import { setTimeout as moment } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { CommandResult } from '../support/command.ts';
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

function expectVerified({ exitCode, stdout, stderr }: CommandResult): void {
  // One assertion, so that a failure shows all of them.
  expect(`${stderr}\n${stdout}\nstatus ${exitCode}`).toMatch(/counted exactly once[\s\S]*status 0$/);
}

/** How long the last uninterrupted start took, in milliseconds. */
let wholeMs: number | undefined;

/** Interrupts a start after a share of its time. If it was complete by then, measures its duration and tries again. */
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

it.each(Array.from({ length: MOMENTS }, (_, i) => ((i + 0.5) * 100) / MOMENTS))(
  'make up, interrupted at %d %% of its time, succeeds when it is run again, verification included',
  async (percent) => {
    const { exitCode, stderr } = await interruptAt(percent / 100);
    expect(`${stderr}\nstatus ${exitCode}`).toMatch(/status 130$/);
    expectVerified(await project.stack(['up']));
    expect(await queryValue(project.prometheusUrl, 'up{job="api"}')).toBe(1);
  },
);

it('if make up runs twice at once, one succeeds; the other and a make down report that and change nothing', async () => {
  const reason = expect.stringContaining('error: another command is changing this stack: make up (process ');
  const both = [startUp().result, startUp().result];
  await eventually('a container', async () => (await project.containers()).length > 0);
  expect(await project.stack(['down'])).toMatchObject({ exitCode: 4, stderr: reason });
  const [winner, other] = (await Promise.all(both)).sort((a, b) => Number(a.exitCode) - Number(b.exitCode));
  expectVerified(winner as CommandResult);
  expect(other).toMatchObject({ exitCode: 4, stderr: reason });
});
