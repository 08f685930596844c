// Starts that cannot work: each names its cause, ends with the documented status and leaves nothing behind.
import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Project } from '../support/project.ts';

let project: Project;

beforeAll(async () => {
  project = await Project.create('refused');
});

afterAll(() => project.remove());

it('names the port that is taken and its variable, and leaves nothing behind', async () => {
  const port = project.port('PROMETHEUS_HOST_PORT');
  const other = createServer().listen(port, '127.0.0.1');
  try {
    const up = await project.stack(['up']);
    expect(up.exitCode).toBe(1);
    expect(up.stderr).toContain(`port ${port} (PROMETHEUS_HOST_PORT) is taken`);
    expect(await project.containers()).toEqual([]);
  } finally {
    other.close();
  }
});

it('shows what the API says of a broken setting, and leaves nothing behind', async () => {
  const up = await project.stack(['up'], { SIMULATED_ERROR_RATIO: 'often' });
  expect(up.exitCode).toBe(1);
  expect(up.stderr).toContain('SIMULATED_ERROR_RATIO: expected');
  expect(up.stderr).toContain('"often"');
  expect(await project.containers()).toEqual([]);
});

it('lists every broken setting of its own at once, with status 2', async () => {
  const up = await project.stack(['up'], { API_REPLICAS: 'two', GRAFANA_HOST_PORT: '99999' });
  expect(up.exitCode).toBe(2);
  expect(up.stderr).toContain('API_REPLICAS: expected a whole number from 1 to 65535, got "two"');
  expect(up.stderr).toContain(
    'GRAFANA_HOST_PORT: expected a port from 1 to 65535, or a range such as 5001-5003, got "99999"',
  );
});

it.each([['load'], ['verify'], ['query', 'up'], ['logs']])(
  'refuses %s while nothing runs, with status 3',
  async (...words) => {
    const { exitCode, stderr } = await project.stack(words);
    expect(exitCode).toBe(3);
    expect(stderr).toContain('the stack is not running.\n       Start it with: make up');
  },
);

it('says on down that nothing runs, with status 0', async () => {
  const { exitCode, stderr } = await project.stack(['down']);
  expect(exitCode).toBe(0);
  expect(stderr).toContain('The stack is not running.');
});

it('names a folder for reports that cannot be written, before anything starts', async () => {
  const up = await project.stack(['up'], { REPORTS_FOLDER: '/proc/reports' });
  expect(up.exitCode).toBe(1);
  expect(up.stderr).toMatch(/^error: the folder \/proc\/reports cannot be written/m);
  expect(up.stderr).not.toContain('starting the services');
  expect(await project.containers()).toEqual([]);
});

it('says that a running replica was replaced by one that does not start', async () => {
  await project.up();
  const up = await project.stack(['up'], { SIMULATED_ERROR_RATIO: 'often' });
  expect(up.exitCode).toBe(1);
  expect(up.stderr).toContain('SIMULATED_ERROR_RATIO: expected');
  expect(up.stderr).toContain('not all that was running before still runs');
  await project.up();
});

it('names the commands that there are when asked for another', async () => {
  const { exitCode, stderr } = await project.stack(['upp']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('up | load');
});
