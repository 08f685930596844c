// Starts that cannot work: each names its cause, ends with the documented status and leaves nothing behind.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  containersOf,
  createProject,
  listen,
  type Project,
  removeProject,
  stackCommand,
} from '../support/commands.ts';

const startTimeoutMs = 180_000;
const commandTimeoutMs = 90_000;

describe('a start that cannot work', () => {
  let project: Project;

  beforeAll(async () => {
    project = await createProject('refused');
  });

  afterAll(() => removeProject(project), commandTimeoutMs);

  it(
    'names the port that is taken and its variable, and leaves nothing behind',
    async () => {
      const squatter = await listen();
      try {
        const up = await stackCommand(project, ['up'], { PROMETHEUS_HOST_PORT: String(squatter.port) });
        expect(up.exitCode).toBe(1);
        expect(up.stderr).toContain(`port ${squatter.port} (PROMETHEUS_HOST_PORT) is taken`);
        expect(await containersOf(project)).toEqual([]);
      } finally {
        await squatter.close();
      }
    },
    startTimeoutMs,
  );

  it(
    'shows what the API says of a broken setting, and leaves nothing behind',
    async () => {
      const up = await stackCommand(project, ['up'], { SIMULATED_ERROR_RATIO: 'often' });
      expect(up.exitCode).toBe(1);
      expect(up.stderr).toContain('SIMULATED_ERROR_RATIO: expected');
      expect(up.stderr).toContain('"often"');
      expect(await containersOf(project)).toEqual([]);
    },
    startTimeoutMs,
  );

  it('lists every broken setting of its own at once, with status 2', async () => {
    const up = await stackCommand(project, ['up'], { API_REPLICAS: 'two', GRAFANA_HOST_PORT: '99999' });
    expect(up.exitCode).toBe(2);
    expect(up.stderr).toContain('API_REPLICAS: expected a whole number from 1 to 65535, got "two"');
    expect(up.stderr).toContain('GRAFANA_HOST_PORT: expected a port from 1 to 65535, got "99999"');
  });

  it('refuses what needs a running stack while nothing runs, with status 3', async () => {
    for (const words of [['load'], ['verify'], ['query', 'up'], ['logs']]) {
      const result = await stackCommand(project, words);
      expect(result.exitCode).toBe(3);
      expect(result.stderr).toContain('the stack is not running.\n       Start it with: make up');
    }
  });

  it('says on down that nothing runs, with status 0', async () => {
    expect(await stackCommand(project, ['down'])).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining('The stack is not running.'),
    });
  });

  it(
    'names a folder for reports that cannot be written, before anything starts',
    async () => {
      const up = await stackCommand(project, ['up'], { REPORTS_FOLDER: '/proc/reports' });
      expect(up.exitCode).toBe(1);
      expect(up.stderr).toMatch(/^error: the folder \/proc\/reports cannot be written/m);
      expect(up.stderr).not.toContain('starting the services');
      expect(await containersOf(project)).toEqual([]);
    },
    commandTimeoutMs,
  );

  it(
    'says that a running replica was replaced by one that does not start',
    async () => {
      expect(await stackCommand(project, ['up'])).toMatchObject({ exitCode: 0 });
      const up = await stackCommand(project, ['up'], { SIMULATED_ERROR_RATIO: 'often' });
      expect(up.exitCode).toBe(1);
      expect(up.stderr).toContain('SIMULATED_ERROR_RATIO: expected');
      expect(up.stderr).toContain('not all that was running before still runs');
      expect(await stackCommand(project, ['up'])).toMatchObject({ exitCode: 0 });
    },
    2 * startTimeoutMs,
  );

  it('names the commands that there are when asked for another', async () => {
    const result = await stackCommand(project, ['upp']);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('up | load');
  });
});
