/** Writes the results into the documents that quote them, and draws their plots: `npm run quote --workspace tools`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseTable, quoted, quotes, withQuote } from './lib/quotes.ts';
import { plotsOf } from './scaling/plots.ts';
import { soakPlot } from './stack/soak-plot.ts';

const root = new URL('../../', import.meta.url);
const resultOf = (name: string) =>
  parseTable(readFileSync(new URL(`tools/bench/results/${name}.md`, root), 'utf8'));

for (const quote of quotes) {
  const document = new URL(quote.document, root);
  const text = quoted(quote, resultOf(quote.result));
  writeFileSync(document, withQuote(readFileSync(document, 'utf8'), quote, text));
}
const plots = {
  ...plotsOf(resultOf('middleware-footprint'), resultOf('scaling-prometheus')),
  soak: soakPlot(resultOf('stack-soak')),
};
for (const [name, svg] of Object.entries(plots))
  writeFileSync(new URL(`docs/pictures/${name}.svg`, root), svg);
