/** The steps of docs/tutorial.md that query Prometheus, each with a new, empty Prometheus. */
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

/** The command that ends this Prometheus, as the script prints it. */
let stop: string[] = [];

beforeEach(async () => {
  const { stderr } = await promisify(execFile)('scripts/tutorial.sh', {
    cwd: repositoryRoot,
    env: {
      ...process.env,
      TUTORIAL_FOLDER: copy.folder,
      COMPOSE_PROJECT_NAME: `tutorial-${process.pid}`,
      PROMETHEUS_HOST_PORT: String(copy.prometheusPort),
    },
  });
  expect(stderr).toContain(`http://localhost:${copy.prometheusPort}`);
  stop = /Stop it with: docker (.*)/.exec(stderr)?.[1]?.split(' ') ?? [];
});
afterEach(() => promisify(execFile)('docker', stop));

it.each(tutorialSections.filter(asksPrometheus).map((section) => [section.title, section] as const))(
  'step %s',
  (_title, section) => follow(section, copy.surroundings),
);
