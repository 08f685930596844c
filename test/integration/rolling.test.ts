/**
 * `make rolling`, and `API_REPLICAS=n make up` on a running stack, of which it consists: replicas that are added, restarted and removed
 * under load lose no request and no count, and those that stay are not touched.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { docker } from '../support/command.ts';
import { Project } from '../support/project.ts';
import { eventually } from '../support/until.ts';

/** The duration of the steps depends on the machine; the load is longer, and ends with them. */
const SETTINGS = { REPLICAS: '2', DURATION: '20m' };
const SCALED = 3;

let project: Project;

beforeAll(async () => {
  // On a busy machine clients need long to leave a draining replica, which would cut them if it had to exit earlier.
  project = await Project.create('rolling', SCALED, { SHUTDOWN_GRACE_MS: '60000' });
  await project.up();
});

afterAll(() => project.remove());

/** The API's containers by their first port, with what a restart or a new container would change. */
async function replicas(): Promise<Record<string, string>> {
  const ids = await project.containers('api');
  const format =
    '{{(index (index .HostConfig.PortBindings "5001/tcp") 0).HostPort}} {{.Id}} {{.State.StartedAt}}';
  const rows = (await docker('inspect', '--format', format, ...ids)).split('\n');
  return Object.fromEntries(rows.map((row) => [row.slice(0, row.indexOf(' ')), row]));
}

it('adding replicas, restarting each in turn and removing them loses no request and no count', async () => {
  const before = await project.containers('api');
  const rolling = project.start('scripts/rolling.sh', ['--rate', '100'], SETTINGS);
  const generator = await project.generator();
  await eventually(
    'the last step',
    async () => rolling.stderr().includes('API_REPLICAS=1 make up ...'),
    600_000,
  );
  await eventually('one replica', async () => (await project.containers('api')).length === 1);
  await docker('kill', '--signal', 'INT', generator);
  const { exitCode, stdout, stderr } = await rolling.result;
  // Together, so that a failure shows both. Dropped requests are allowed: they only show that the machine was busy.
  const output = `${stderr}\n${stdout}`;
  expect(output).toMatch(/^ {2}errors {4}0 [\s\S]*, every one counted exactly once$/m);
  expect(output).not.toContain('error: ');
  expect(exitCode).toBe(130);
  expect(await project.containers('api')).toEqual(before);
});

it('Ctrl-C restores the number of replicas, and the load ends with its summary', async () => {
  const before = await project.containers('api');
  const rolling = project.start('scripts/rolling.sh', [], SETTINGS);
  await project.generator();
  await eventually('the first step', async () => rolling.stderr().includes('make up ...'));
  rolling.interrupt();
  const { exitCode, stdout } = await rolling.result;
  expect(exitCode).toBe(130);
  expect(stdout).toContain('the remaining requests were not sent');
  expect(await project.containers('api')).toEqual(before);
  expect(await project.containers('loadgen')).toEqual([]);
});

it('the counters then match all requests that were sent', async () => {
  const { exitCode, stdout } = await project.stack(['verify']);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('every one counted exactly once');
});

it('remaining replicas keep their container and port; the same number of replicas changes nothing', async () => {
  const port = project.port('API_HOST_PORT');
  const first = await replicas();
  expect(Object.keys(first)).toEqual([String(port)]);
  const settings = { API_REPLICAS: String(SCALED) };
  await project.up(settings);
  const scaled = await replicas();
  expect(Object.keys(scaled)).toEqual(Array.from({ length: SCALED }, (_, i) => String(port + i)));
  expect(scaled).toMatchObject(first);
  expect((await project.up(settings)).stderr).toContain('nothing was changed');
  expect(await replicas()).toEqual(scaled);
});

it('another setting replaces the remaining replica', async () => {
  const before = await replicas();
  await project.up({ SIMULATED_LATENCY_MS: '1' });
  const [other, port] = [await replicas(), String(project.port('API_HOST_PORT'))];
  expect(Object.keys(other)).toEqual([port]);
  expect(other[port]).not.toBe(before[port]);
});
