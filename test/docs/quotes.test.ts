/** Figures that documents quote are those of the benchmarks' results. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { withQuotes } from '../../tools/bench/lib/quotes.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

it.each([
  ['README.md', 3],
  ['docs/scaling.md', 4],
])('%s quotes results as they are, %d times', (path, count) => {
  const document = read(path);
  expect(document.match(/^<!-- bench:/gm)).toHaveLength(count);
  expect(withQuotes(document, (result) => read(`tools/bench/results/${result}.md`))).toBe(document);
});

describe('a quote', () => {
  const result = `
| who | routes | per second |
| --- | -----: | ---------: |
| we  |      9 |        100 |
| we  |    150 |       90 % |

Medians. "a | b" is no table.
`;
  /** The text between the markers of a quote with this beginning. */
  const quoted = (what: string, text = result) => {
    const marker = `<!-- bench:some${what} -->`;
    const document = withQuotes(`before\n${marker}\nold\n<!-- /bench -->\nafter`, () => text);
    expect(document.startsWith(`before\n${marker}\n`)).toBe(true);
    expect(document.endsWith('\n<!-- /bench -->\nafter')).toBe(true);
    return document.split('\n').slice(2, -2);
  };

  it('has the chosen columns and rows', () => {
    const table = ['| who | per second |', '| --- | ---------: |', '| we  |        100 |'];
    expect(quoted(' routes=9: who | per second')).toEqual(table);
  });

  it('may be a chart, in the order of its first column', () => {
    expect(quoted(' chart: per second | routes')).toEqual([
      '```mermaid',
      'xychart-beta',
      '  x-axis "per second" [90, 100]',
      '  y-axis "routes"',
      '  bar [150, 9]',
      '```',
    ]);
  });

  it.each([
    [': who | CPU', result, 'expected who, routes, per second, got "CPU"'],
    [' routes=7: who', result, 'some: expected rows with routes=7'],
    [': who', 'nothing', 'expected a table, got "nothing"'],
  ])('is not of what is missing: %s', (what, text, message) => {
    expect(() => quoted(what, text)).toThrow(message);
  });
});
