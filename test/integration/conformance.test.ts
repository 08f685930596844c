// docs/who-counts-right.md shows the actual counts of the libraries for Node and Python. Ours must match its documentation
// everywhere. OpenTelemetry must not: a judge that finds no difference would fail this test.
import { expect, it } from '@jest/globals';
import { columns } from '../../tools/conformance/columns.ts';
import { type Cells, judge } from '../../tools/conformance/judge.ts';
import { judgedRows, noteOf, type Results } from '../../tools/conformance/page.ts';
import { programNames, whyLeftOut } from '../../tools/conformance/programs.ts';
import { read } from '../support/repository.ts';

const results = JSON.parse(read('tools/conformance/results/results.json')) as Results;
const chosen = programNames.filter((name) => ['Node', 'Python'].includes(columns[name].language));
const reasons = await Promise.all(chosen.map(async (name) => [name, await whyLeftOut(name)] as const));

for (const [name, reason] of reasons) {
  const run = reason === undefined ? it : it.skip;
  run(
    `${name} counts what the page says${reason === undefined ? '' : ` (left out: ${reason})`}`,
    async () => {
      const { terminated, ...cells } = await judge(name);
      const { cells: page } = results[name] as { cells: Cells };
      expect({ ...page, ...cells }).toEqual(page);
      const mistakes = judgedRows.filter((row) => cells[row] !== '' && !noteOf(name, row, cells[row]));
      // Ours is correct in every row, or differs as documented.
      if (name === 'express-exact-metrics') expect([...mistakes, terminated]).toEqual(['']);
      if (name === 'opentelemetry') expect(mistakes).toContain('aborted');
    },
  );
}
