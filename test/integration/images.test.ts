/** The images as a release builds them, and as a file for a machine without a registry. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { docker, run } from '../support/command.ts';
import { Project } from '../support/project.ts';
import { ownImage, read, repositoryRoot } from '../support/repository.ts';

let project: Project;
let file: string;

beforeAll(async () => {
  project = await Project.create('images');
  file = join(project.reports, 'stack.tar');
});

afterAll(async () => {
  await docker('image', 'rm', '--force', `${project.name}/app:loaded`);
  await project.remove();
});

const images = (...words: string[]) => project.run('scripts/images.sh', words);
/** The images that `make test` has built, under the project's name. */
const tag = (target: 'app' | 'loadgen') => docker('tag', ownImage(target), `${project.name}/${target}`);

it('a dry run of a release builds both for this machine, and lists the tags that it would push', async () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const words = ['tools/release/release.ts', 'images', `v${version}`, '--dry-run'];
  const { exitCode, stdout, stderr } = await run('node', words);
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout.trim().split('\n')).toEqual(
    ['app', 'loadgen'].flatMap((target) =>
      [version, version.replace(/\.\d+$/, ''), 'latest'].map((one) =>
        expect.stringMatching(new RegExp(`^would push ghcr\\.io/.+/${target}:${one}$`)),
      ),
    ),
  );
});

it('saving is refused without a name, to an existing file, and if an image is missing', async () => {
  await tag('app');
  const { exitCode, stderr } = await images('save', file);
  expect({ exitCode, stderr }).toEqual({
    exitCode: 3,
    stderr: expect.stringContaining(`images missing on this machine: ${project.name}/loadgen\n`),
  });
  expect(await images('save', '')).toMatchObject({ exitCode: 2 });
  expect(await images('save', join(repositoryRoot, 'Makefile'))).toMatchObject({ exitCode: 2 });
  expect(await images('load', join(project.reports, 'none.tar'))).toMatchObject({ exitCode: 2 });
  await writeFile(join(project.reports, 'other.tar'), 'not an archive');
  expect(await images('load', join(project.reports, 'other.tar'))).toMatchObject({ exitCode: 2 });
});

it('loads the saved images after their removal, and make up starts them without a build, including Grafana', async () => {
  await tag('app');
  await tag('loadgen');
  expect(await images('save', file)).toMatchObject({ exitCode: 0 });
  const own = ['app', 'loadgen'].map((target) => `${project.name}/${target}`);
  await docker('image', 'rm', ...own);
  const refused = `BUILD_IMAGES=no, and no image ${own[0]} on this machine.`;
  expect(await project.stack(['up'], { BUILD_IMAGES: 'no' })).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining(refused),
  });
  expect(await images('load', file)).toMatchObject({ exitCode: 0 });
  const { stderr } = await project.up();
  expect(stderr).toContain('Not building: the images are those of make load-images');
  expect(stderr).not.toMatch(/^- (building|pulling)/m);
  expect(stderr).toMatch(
    process.env.TEST_GRAFANA_IMAGE ? /^Grafana +http:/m : /^Grafana +skipped: no image/m,
  );
});
