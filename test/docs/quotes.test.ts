/** Checks that figures in documents match the results of the benchmarks. */
import { expect, it } from '@jest/globals';
import { withQuotes } from '../../tools/bench/lib/quotes.ts';
import { read } from '../support/repository.ts';

it.each([
  ['README.md', 3],
  ['docs/scaling.md', 3],
])('%s quotes results correctly, %d times', (path, count) => {
  const document = read(path);
  expect(document.match(/^<!-- bench:/gm)).toHaveLength(count);
  expect(withQuotes(document, (result) => read(`tools/bench/results/${result}.md`))).toBe(document);
});

it('the cost of the package agrees between its README, its times and its ratios', () => {
  const rows = [...read('tools/bench/results/middleware-throughput.md').matchAll(/^\| (\S.*) \|$/gm)]
    .map(([, row = '']) => row.split(' | ').map((cell) => cell.trim()))
    .filter(([, routes]) => /^\d+$/.test(routes ?? ''));
  expect(rows).toHaveLength(14);
  const micros = (of: string, at: string) =>
    Number(rows.find(([name, routes]) => name === of && routes === at)?.[2]);
  for (const [name = '', routes = '', , ratio] of rows)
    expect(micros('bare Express', routes) / micros(name, routes)).toBeCloseTo(Number(ratio), 2);
  const percent = (at: string) =>
    Math.round(100 * (micros('express-exact-metrics', at) / micros('bare Express', at) - 1));
  expect(read('instrumentation/README.md')).toContain(
    `**${percent('9')} %** of the CPU time of a request to an application with 9 routes, and ${percent('150')} % with 150`,
  );
});
