/** Figures that documents quote are those of the benchmarks' results. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { type Quote, quoted, quotes, withQuote } from '../../tools/bench/lib/quotes.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

it.each(quotes)('$document quotes $result as it is: $name', (quote) => {
  const document = read(quote.document);
  expect(document).toBe(withQuote(document, quote, read(quote.result)));
});

describe('a quote', () => {
  const quote: Quote = {
    name: 'speed',
    document: 'README.md',
    result: 'some.md',
    columns: ['who', 'per second'],
    where: { routes: '9' },
  };
  const result = `
| who | routes | per second |
| --- | -----: | ---------: |
| we  |      9 |        100 |
| we  |    150 |         90 |

Medians. "a | b" is no table.
`;

  it('has the chosen columns and rows', () => {
    expect(quoted(quote, result)).toBe('| who | per second |\n| --- | ---------: |\n| we  |        100 |');
  });

  it('may be a chart, in the order of its first column', () => {
    const columns = ['per second', 'routes'];
    const text = quoted({ ...quote, columns, where: {}, chart: 'Speed' }, result.replace('90 |', '90 % |'));
    expect(text.split('\n')).toEqual([
      '```mermaid',
      'xychart-beta',
      '  title "Speed"',
      '  x-axis "per second" [90, 100]',
      '  y-axis "routes"',
      '  bar [150, 9]',
      '```',
    ]);
  });

  it('replaces only the text between its markers', () => {
    const document = 'before\n<!-- bench:speed -->\nold\n<!-- /bench:speed -->\nafter';
    expect(withQuote(document, quote, result)).toBe(document.replace('old', quoted(quote, result)));
  });

  it('names a column that the result has lost', () => {
    const lost = { ...quote, columns: [...quote.columns, 'CPU'] };
    expect(() => quoted(lost, result)).toThrow('speed: some.md has no CPU');
  });

  it('names markers that the document has lost', () => {
    expect(() => withQuote('nothing', quote, result)).toThrow(
      'README.md has no <!-- bench:speed --> followed by <!-- /bench:speed -->',
    );
  });

  it('is of no text without a table', () => {
    expect(() => quoted(quote, 'nothing')).toThrow('expected a table, got "nothing"');
  });
});
