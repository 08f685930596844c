/** The committed files that are made of other files are what `npm run generate` writes. */
import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { generatedFiles } from '../../tools/generators/generated.ts';

const generated = Object.entries(generatedFiles());

it('there are dashboards, their data source, rules for the operator, licences, pictures of terminals and an owner', () => {
  const endings = generated.map(([path]) => path.slice(path.lastIndexOf('.') + 1));
  expect(new Set(endings)).toEqual(new Set(['json', 'yml', 'yaml', 'md', 'svg', 'github/CODEOWNERS']));
});

it.each(generated)('%s is what `npm run generate` writes', (path, text) => {
  expect(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')).toBe(text);
});
