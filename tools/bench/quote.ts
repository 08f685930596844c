/** Writes the results into the documents that quote them: `npm run quote --workspace tools`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { withQuotes } from './lib/quotes.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');

for (const path of ['README.md', 'docs/scaling.md']) {
  const text = withQuotes(read(path), (result) => read(`tools/bench/results/${result}.md`));
  writeFileSync(new URL(path, root), text);
}
