/**
 * Checks that generated files are up to date with `npm run generate`, and that all pictures exist. test/integration/commands.test.ts
 * checks that `make up` prints what its picture shows.
 */
import { expect, it } from '@jest/globals';
import { generatedFiles } from '../../tools/generators/generated.ts';
import { namesIn, read } from '../support/repository.ts';

const generated = Object.entries(generatedFiles());

it('generated files include dashboards, a data source, rules for the operator, licences, pictures of terminals and an owner', () => {
  const endings = generated.map(([path]) => path.slice(path.lastIndexOf('.') + 1));
  expect(new Set(endings)).toEqual(new Set(['json', 'yml', 'yaml', 'md', 'svg', 'github/CODEOWNERS']));
});

it.each(generated)('%s is up to date with `npm run generate`', (path, text) => {
  expect(read(path)).toBe(text);
});

it('each picture of a terminal has its text, and each dashboard except the runbook has a dark and a light picture', () => {
  const pictures = namesIn('docs/pictures').filter((name) => !name.startsWith('console-'));
  const dashboards = namesIn('grafana/dashboards').flatMap(
    (file) => /^(?!runbook)(.*)\.json$/.exec(file)?.[1] ?? [],
  );
  const terminals = ['make-lab.svg', 'make-lab.txt', 'make-up.svg', 'make-up.txt'];
  const shown = dashboards.flatMap((uid) => [`${uid}-dark-1440.png`, `${uid}-light-1440.png`]);
  expect(pictures).toEqual([...shown, ...terminals].sort());
});
