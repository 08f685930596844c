/** Writes the results into the documents that quote them: `npm run quote --workspace tools`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { quotes, withQuote } from './lib/quotes.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');

for (const quote of quotes)
  writeFileSync(new URL(quote.document, root), withQuote(read(quote.document), quote, read(quote.result)));
