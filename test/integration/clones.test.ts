// Two clones on one machine, one of them created with a strict umask: each is a separate project, and no command of one
// touches the other's resources.
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import axios from 'axios';
import { type CommandResult, docker } from '../support/command.ts';
import { Project } from '../support/project.ts';
import { queryValue } from '../support/prometheus.ts';
import { ownImage, repositoryRoot } from '../support/repository.ts';

/** The result of `git clone`: tracked files, with the modes of a umask. */
async function clone(umask: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'clone-'));
  const copy = `umask ${umask} && git ls-files -z | tar --null --create --file - --files-from - |
    tar --extract --no-same-permissions --file - --directory "$0"`;
  execFileSync('bash', ['-c', copy, folder], { cwd: repositoryRoot });
  return folder;
}

/** The containers, volumes and images of a project. */
async function belongings(project: Project): Promise<string[]> {
  const { name } = project;
  const lists = await Promise.all([
    project.containers(),
    docker('volume', 'ls', '--quiet', '--filter', `label=com.docker.compose.project=${name}`),
    docker('image', 'ls', '--format', '{{.Repository}} {{.ID}}', '--filter', `reference=${name}/*`),
  ]);
  return lists.map((list) => [list].flat().join('\n').split('\n').sort().join(' '));
}

describe('two clones on one machine', () => {
  let folders: [string, string];
  let first: Project;
  let second: Project;

  const run = (folder: string, project: Project, script: string, ...words: string[]) =>
    project.run(`${folder}/scripts/${script}.sh`, words);
  const succeeds = async (command: Promise<CommandResult>) => {
    const result = await command;
    if (result.exitCode !== 0)
      throw new Error(`exit status ${result.exitCode}: ${result.stderr}\n${result.stdout}`);
    return result;
  };

  beforeAll(async () => {
    folders = [await clone('022'), await clone('077')];
    first = await Project.create('clone-1');
    second = await Project.create('clone-2');
    await succeeds(run(folders[0], first, 'stack', 'up'));
  });

  afterAll(async () => {
    await first.remove();
    await second.remove();
    for (const folder of folders) await rm(folder, { recursive: true });
  });

  it.each([
    ['stack', 'up'],
    ['stack', 'load'],
    ['stack', 'verify'],
    ['stack', 'query', 'up'],
    ['stack', 'logs'],
    ['lab'],
    ['rolling'],
    ['backup', 'backup', '/tmp/never-written.tgz'],
    ['backup', 'restore', '/tmp/never-read.tgz'],
    ['stack', 'down'],
    ['stack', 'clean'],
  ])(
    '%s %s with the project name of the other clone exits with status 7, names the folder of that clone, and changes nothing',
    async (script, ...words) => {
      const before = await belongings(first);
      const { exitCode, stderr } = await run(folders[1], first, script, ...words);
      const owner = `the stack "${first.name}" belongs to another folder: ${folders[0]}\n`;
      expect({ exitCode, stderr }).toEqual({ exitCode: 7, stderr: expect.stringContaining(owner) });
      expect(stderr).toMatch(/COMPOSE_PROJECT_NAME=\S+ API_HOST_PORT=\d+ .* make up/);
      expect(await belongings(first)).toEqual(before);
    },
  );

  it('up of a clone made with umask 077 starts next to the other, verification included', async () => {
    expect((await stat(join(folders[1], 'docker-compose.yml'))).mode & 0o777).toBe(0o600);
    const before = await belongings(first);
    const { stdout } = await succeeds(run(folders[1], second, 'stack', 'up'));
    expect(stdout).toContain('133 requests, every one counted exactly once');
    expect(await belongings(first)).toEqual(before);
  });

  it('clean in one leaves the other unchanged, including its images and their base images', async () => {
    const before = await belongings(first);
    await succeeds(run(folders[1], second, 'stack', 'clean'));
    expect(await belongings(second)).toEqual(['', '', '']);
    expect(await belongings(first)).toEqual(before);
    await docker('image', 'inspect', ownImage('app'), process.env.NODE_IMAGE ?? ownImage('loadgen'));
    const { data } = await axios.get<string>(`${first.url('API_HOST_PORT')}/products`);
    expect(data).toBe('product');
    expect(await queryValue(first.prometheusUrl, 'http_errors_total{code="404"}')).toBe(33);
  });

  it('the data of a stopped stack still belongs to its folder', async () => {
    await succeeds(run(folders[0], first, 'stack', 'down'));
    expect(await first.containers()).toEqual([]);
    for (const command of ['up', 'clean'])
      expect(await run(folders[1], first, 'stack', command)).toMatchObject({ exitCode: 7 });
    await succeeds(run(folders[0], first, 'stack', 'clean'));
    expect(await belongings(first)).toEqual(['', '', '']);
  });
});
