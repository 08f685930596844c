/** The steps of docs/tutorial.md that ask Prometheus, each followed for itself with a Prometheus that remembers nothing. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { repositoryRoot } from '../support/repository.ts';
import { asksPrometheus, copyTutorial, type TutorialCopy, tutorialSections } from '../support/tutorial.ts';
import { follow } from '../support/walkthrough.ts';

let copy: TutorialCopy;
beforeAll(async () => {
  copy = await copyTutorial();
});
afterAll(() => copy.remove());

const tutorial = (command: 'up' | 'down') =>
  promisify(execFile)('scripts/tutorial.sh', [command], {
    cwd: repositoryRoot,
    env: {
      ...process.env,
      TUTORIAL_FOLDER: copy.folder,
      COMPOSE_PROJECT_NAME: `tutorial-${process.pid}`,
      PROMETHEUS_HOST_PORT: String(copy.prometheusPort),
    },
  });

beforeEach(async () => {
  expect((await tutorial('up')).stderr).toContain(`http://localhost:${copy.prometheusPort}`);
});
afterEach(() => tutorial('down'));

it.each(tutorialSections.filter(asksPrometheus).map((section) => [section.title, section] as const))(
  'step %s',
  (_title, section) => follow(section, copy.surroundings),
);
