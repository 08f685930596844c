/** That `make up` prints what its picture shows is checked in test/integration/commands.test.ts. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';

const namesIn = (folder: string) => readdirSync(fileURLToPath(new URL(`../../${folder}/`, import.meta.url)));
const pictures = namesIn('docs/pictures');

it('there are pictures of terminals, each with its text', () => {
  const terminals = pictures.filter((name) => !name.endsWith('.png'));
  expect(terminals).toEqual(['make-lab.svg', 'make-lab.txt', 'make-up.svg', 'make-up.txt']);
});

it('of each dashboard that is not text there is one dark picture and one light, and no other', () => {
  const shown = namesIn('grafana/dashboards').flatMap(
    (file) => /^(?!runbook)(.*)\.json$/.exec(file)?.[1] ?? [],
  );
  const expected = shown.flatMap((uid) => [`${uid}-dark-1440.png`, `${uid}-light-1440.png`]);
  const found = pictures.filter((name) => name.endsWith('.png') && !name.startsWith('console-'));
  expect(found).toEqual(expected.sort());
});
