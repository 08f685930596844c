/** What documents quote of the benchmarks is what the benchmarks have measured. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parseTable, type Quote, quoted, quotes, withQuote } from '../../tools/bench/lib/quotes.ts';
import { plotsOf } from '../../tools/bench/scaling/plots.ts';
import { soakPlot } from '../../tools/bench/stack/soak-plot.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

const resultOf = (name: string) => parseTable(read(`tools/bench/results/${name}.md`));

describe.each(quotes)('$document quotes $result.md', (quote) => {
  it('as it is', () => {
    const document = read(quote.document);
    expect(document).toBe(withQuote(document, quote, quoted(quote, resultOf(quote.result))));
  });
});

it('draws the plots of docs/scaling.md from the results', () => {
  const plots = plotsOf(resultOf('middleware-footprint'), resultOf('scaling-prometheus'));
  expect(Object.keys(plots)).toHaveLength(3);
  for (const [name, svg] of Object.entries(plots)) expect(read(`docs/pictures/${name}.svg`)).toBe(svg);
});

it('draws the plot of the soak from its result', () => {
  expect(read('docs/pictures/soak.svg')).toBe(soakPlot(resultOf('stack-soak')));
});

describe('a quote', () => {
  const quote: Quote = {
    name: 'speed',
    document: 'README.md',
    result: 'some',
    columns: { who: 'name', 'per second': 'speed' },
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
    expect(quoted(quote, parseTable(result))).toBe('| name | speed |\n| ---- | ----: |\n| we   |   100 |');
  });

  it('replaces only what stands between its markers', () => {
    const document = 'before\n<!-- bench:speed -->\nold\n<!-- /bench:speed -->\nafter';
    expect(withQuote(document, quote, 'new')).toBe(document.replace('old', 'new'));
  });

  it('names the column that the result has lost', () => {
    const lost = { ...quote, columns: { ...quote.columns, CPU: 'CPU' } };
    expect(() => quoted(lost, parseTable(result))).toThrow('speed: results/some.md has no CPU');
  });

  it('names the markers that the document has lost', () => {
    expect(() => withQuote('nothing', quote, 'new')).toThrow(
      'README.md has no <!-- bench:speed --> followed by <!-- /bench:speed -->',
    );
  });

  it('is of no text without a table', () => {
    expect(() => parseTable('nothing')).toThrow('expected a table, got "nothing"');
  });
});
