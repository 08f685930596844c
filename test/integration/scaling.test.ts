// `API_REPLICAS=n make up` on a running stack: replicas that stay are not touched, no request fails, and no count is lost.
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { docker } from '../support/command.ts';
import { Project } from '../support/project.ts';

const SCALED = 3;

let project: Project;

beforeAll(async () => {
  project = await Project.create('scaling', SCALED);
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

it('adds and removes replicas under load; the one that stays keeps its container and the first port, and all is counted', async () => {
  const port = String(project.port('API_HOST_PORT'));
  const ports = Array.from({ length: SCALED }, (_, i) => String(Number(port) + i));
  const first = await replicas();
  expect(Object.keys(first)).toEqual([port]);
  const load = project.start('scripts/stack.sh', ['load', 'steady', '--rate', '100', '--duration', '10m']);
  const generator = await project.generator();
  for (const wanted of [SCALED, 1, SCALED]) {
    await project.up({ API_REPLICAS: String(wanted) });
    const now = await replicas();
    expect(Object.keys(now)).toEqual(ports.slice(0, wanted));
    expect(now[port]).toBe(first[port]);
  }
  // How long the steps take depends on the machine: the load ends with them, and what has been sent is verified all the same.
  await docker('kill', '--signal', 'INT', generator);
  const { stdout, stderr } = await load.result;
  // Dropped requests would say that the machine was busy: the generator does not wait for it. Nothing that was sent may fail.
  expect(`${stderr}\n${stdout}`).toMatch(/^ {2}errors {4}0 [\s\S]*, every one counted exactly once$/m);
});

it('changes nothing when there are as many, and says so; another setting replaces them all', async () => {
  const before = await replicas();
  const settings = { API_REPLICAS: String(SCALED) };
  expect((await project.up(settings)).stderr).toContain('nothing was changed');
  expect(await replicas()).toEqual(before);
  await project.up({ ...settings, SIMULATED_LATENCY_MS: '1' });
  const other = await replicas();
  expect(Object.keys(other)).toEqual(Object.keys(before));
  for (const port of Object.keys(before)) expect(other[port]).not.toBe(before[port]);
});
