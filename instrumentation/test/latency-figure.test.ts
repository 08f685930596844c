/** The picture and the table of docs/latency.md are what its script draws today. */
import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { toSvg, toTable } from '../scripts/latency-figure.ts';

const read = (path: string) => readFileSync(new URL(`../../docs/${path}`, import.meta.url), 'utf8');

it('docs/figures/latency.svg is what node instrumentation/scripts/latency-figure.ts writes', () => {
  expect(read('figures/latency.svg')).toBe(toSvg());
});

it('docs/latency.md has the table that it prints', () => {
  expect(read('latency.md')).toContain(toTable());
});
