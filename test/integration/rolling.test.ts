// Replicas that come and go under load: those that stay are not touched, no request fails, and no count goes with them. The long
// form is `make rolling`.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  containersOf,
  createProject,
  docker,
  freeRange,
  type Project,
  removeProject,
  scriptCommand,
  stackCommand,
  startCommand,
  startStackCommand,
} from '../support/commands.ts';
import { eventually } from '../support/prometheus-api.ts';

const REPLICAS = 2;
const SCALED = 3;
const startTimeoutMs = 180_000;
const rollTimeoutMs = 400_000;
const commandTimeoutMs = 90_000;

/** The API's containers by their first port, with what a restart or a new container would change. */
async function replicas(project: Project): Promise<Record<string, string>> {
  const ids = await containersOf(project, 'api');
  const format =
    '{{(index (index .HostConfig.PortBindings "5001/tcp") 0).HostPort}} {{.Id}} {{.State.StartedAt}}';
  const rows = (await docker('inspect', '--format', format, ...ids)).split('\n');
  return Object.fromEntries(rows.map((row) => [row.slice(0, row.indexOf(' ')), row]));
}

describe('API_REPLICAS=n make up on a running stack', () => {
  let project: Project;
  const up = async (environment: NodeJS.ProcessEnv) => {
    expect(await stackCommand(project, ['up'], environment)).toMatchObject({ exitCode: 0 });
    return replicas(project);
  };

  beforeAll(async () => {
    project = await createProject('scaling');
    for (const name of ['API_HOST_PORT', 'API_LAB_HOST_PORT', 'METRICS_HOST_PORT'])
      project.environment[name] = String(await freeRange(SCALED));
    expect(await stackCommand(project, ['up'])).toMatchObject({ exitCode: 0 });
  }, startTimeoutMs);

  afterAll(() => removeProject(project), commandTimeoutMs);

  it(
    'adds and removes replicas under load; the one that stays keeps its container and the first port, and all is counted',
    async () => {
      const port = String(project.environment.API_HOST_PORT);
      const ports = Array.from({ length: SCALED }, (_, i) => String(Number(port) + i));
      const first = await replicas(project);
      expect(Object.keys(first)).toEqual([port]);
      const load = startStackCommand(project, ['load', 'steady', '--rate', '100', '--duration', '90s']);
      await eventually('the generator runs', async () => (await containersOf(project, 'loadgen'))[0]);
      for (const wanted of [SCALED, 1, SCALED]) {
        const now = await up({ API_REPLICAS: String(wanted) });
        expect(Object.keys(now)).toEqual(ports.slice(0, wanted));
        expect(now[port]).toBe(first[port]);
      }
      const { stdout, stderr } = await load.result;
      expect(`${stderr}\n${stdout}`).toMatch(
        /^ {2}errors {4}0 {3}dropped 0\n[\s\S]*, every one counted exactly once$/m,
      );
    },
    rollTimeoutMs,
  );

  it(
    'changes nothing when there are as many, and says so; another setting replaces them all',
    async () => {
      const before = await replicas(project);
      const same = await stackCommand(project, ['up'], { API_REPLICAS: String(SCALED) });
      expect(same.stderr).toContain('nothing was changed');
      expect(await replicas(project)).toEqual(before);
      const other = await up({ API_REPLICAS: String(SCALED), SIMULATED_LATENCY_MS: '1' });
      expect(Object.keys(other)).toEqual(Object.keys(before));
      for (const port of Object.keys(before)) expect(other[port]).not.toBe(before[port]);
    },
    rollTimeoutMs,
  );
});

describe('more replicas, each restarted in turn, and as many again as before, under load', () => {
  let project: Project;

  beforeAll(async () => {
    project = await createProject('rolling');
    for (const name of ['API_HOST_PORT', 'API_LAB_HOST_PORT', 'METRICS_HOST_PORT'])
      project.environment[name] = String(await freeRange(SCALED));
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
      // Together, so that a failure shows both.
      const output = `${stderr}\n${stdout}`;
      expect(output).toMatch(/^ {2}errors {4}0 [\s\S]*, every one counted exactly once$/m);
      expect(output).not.toContain('error: ');
      expect(await containersOf(project, 'api')).toEqual(before);
    },
    rollTimeoutMs,
  );

  it(
    'are as many again after a Ctrl-C, and the load ends with its summary',
    async () => {
      const before = await containersOf(project, 'api');
      const rolling = startCommand(project, 'scripts/rolling.sh', [], { REPLICAS: String(REPLICAS) });
      await eventually('the generator runs', async () => (await containersOf(project, 'loadgen'))[0]);
      await eventually('a step has begun', async () =>
        rolling.stderr().includes('make up ...') ? true : undefined,
      );
      rolling.interrupt();
      const { exitCode, stdout } = await rolling.result;
      expect(exitCode).toBe(130);
      expect(stdout).toContain('the rest was not sent');
      expect(await containersOf(project, 'api')).toEqual(before);
      expect(await containersOf(project, 'loadgen')).toEqual([]);
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
