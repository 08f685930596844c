// Replicas that come and go under load: no request fails, and no count goes with them. The long form is `make rolling`.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  containersOf,
  createProject,
  freeRange,
  type Project,
  removeProject,
  scriptCommand,
  stackCommand,
} from '../src/commands.ts';

const REPLICAS = 2;
const startTimeoutMs = 180_000;
const rollTimeoutMs = 400_000;
const commandTimeoutMs = 90_000;

describe('more replicas, each restarted in turn, and one again, under load', () => {
  let project: Project;

  beforeAll(async () => {
    project = await createProject('rolling');
    for (const name of ['API_HOST_PORT', 'API_LAB_HOST_PORT', 'METRICS_HOST_PORT'])
      project.environment[name] = String(await freeRange(REPLICAS));
    expect(await stackCommand(project, ['up'])).toMatchObject({ exitCode: 0 });
  }, startTimeoutMs);

  afterAll(() => removeProject(project), commandTimeoutMs);

  it(
    'lose no request and no count',
    async () => {
      const before = await containersOf(project, 'api');
      const { stdout, stderr } = await scriptCommand(project, 'scripts/rolling.sh', ['--rate', '200'], {
        REPLICAS: String(REPLICAS),
        DURATION: '120s',
      });
      expect({ stdout, stderr }).toEqual({
        stdout: expect.stringMatching(/^ {2}errors {4}0 [\s\S]*, every one counted exactly once$/m),
        stderr: expect.not.stringContaining('error: '),
      });
      expect(await containersOf(project, 'api')).toEqual(before);
    },
    rollTimeoutMs,
  );

  it(
    'and what is counted by now is what was ever sent',
    async () => {
      const verify = await stackCommand(project, ['verify']);
      expect(verify).toMatchObject({ exitCode: 0 });
      expect(verify.stdout).toContain('every one counted exactly once');
    },
    commandTimeoutMs,
  );
});
