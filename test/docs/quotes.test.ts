/** Checks that figures in documents match the results of the benchmarks. */
import { expect, it } from '@jest/globals';
import { withQuotes } from '../../tools/bench/lib/quotes.ts';
import { read } from '../support/repository.ts';

it.each([
  ['README.md', 3],
  ['instrumentation/README.md', 1],
  ['docs/scaling.md', 5],
])('%s quotes results correctly, %d times', (path, count) => {
  const document = read(path);
  expect(document.match(/^<!-- bench:/gm)).toHaveLength(count);
  expect(withQuotes(document, (result) => read(`tools/bench/results/${result}.md`))).toBe(document);
});
