/**
 * The pictures of terminals are made of the texts beside them. After a change of a text:
 * `node tools/generators/draw-terminals.ts`. That `make up` prints what its picture shows is checked in test/integration/commands.test.ts.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { toSvg } from '../../tools/generators/terminal.ts';

const folder = fileURLToPath(new URL('../../docs/pictures/', import.meta.url));
const texts = readdirSync(folder).filter((name) => name.endsWith('.txt'));

it('there are pictures of terminals', () => {
  expect(texts).toEqual(['make-lab.txt', 'make-up.txt']);
});

it.each(texts)('the picture of %s shows its text', (name) => {
  const text = readFileSync(folder + name, 'utf8');
  const svg = readFileSync(folder + name.replace(/\.txt$/, '.svg'), 'utf8');
  expect(svg).toBe(toSvg(text, `A terminal: ${text.split('\n')[0]?.slice(2)}`));
});

it('of each dashboard that is not text there is one dark picture and one light, and no other', () => {
  const files = readdirSync(fileURLToPath(new URL('../../grafana/dashboards/', import.meta.url)));
  const shown = files.flatMap((file) => /^(?!runbook)(.*)\.json$/.exec(file)?.[1] ?? []);
  const expected = shown.flatMap((uid) => [`${uid}-dark-1440.png`, `${uid}-light-1440.png`]);
  const found = readdirSync(folder).filter((name) => name.endsWith('.png') && !name.startsWith('console-'));
  expect(found).toEqual(expected.sort());
});
