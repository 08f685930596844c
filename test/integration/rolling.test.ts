// `make rolling`: replicas that are added, restarted and removed under load lose no request and no count.
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Project } from '../support/project.ts';
import { eventually } from '../support/until.ts';

const REPLICAS = { REPLICAS: '2' };

let project: Project;

beforeAll(async () => {
  project = await Project.create('rolling', 2);
  await project.up();
});

afterAll(() => project.remove());

it('more replicas, each restarted in turn, and as many as before, lose no request and no count', async () => {
  const before = await project.containers('api');
  const settings = { ...REPLICAS, DURATION: '120s' };
  const { stdout, stderr } = await project.run('scripts/rolling.sh', ['--rate', '200'], settings);
  // Together, so that a failure shows both.
  const output = `${stderr}\n${stdout}`;
  expect(output).toMatch(/^ {2}errors {4}0 [\s\S]*, every one counted exactly once$/m);
  expect(output).not.toContain('error: ');
  expect(await project.containers('api')).toEqual(before);
});

it('are as many as before after a Ctrl-C, and the load ends with its summary', async () => {
  const before = await project.containers('api');
  const rolling = project.start('scripts/rolling.sh', [], REPLICAS);
  await project.generator();
  await eventually('the first step', async () => rolling.stderr().includes('make up ...'));
  rolling.interrupt();
  const { exitCode, stdout } = await rolling.result;
  expect(exitCode).toBe(130);
  expect(stdout).toContain('the rest was not sent');
  expect(await project.containers('api')).toEqual(before);
  expect(await project.containers('loadgen')).toEqual([]);
});

it('after that, what is counted is what was ever sent', async () => {
  const { exitCode, stdout } = await project.stack(['verify']);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('every one counted exactly once');
});
