/** How tools/conformance describes counts, and that the page uses all of its notes. */
import { expect, it } from '@jest/globals';
import { columns } from '../../tools/conformance/columns.ts';
import { describeMistakes, difference, type Metric } from '../../tools/conformance/counts.ts';
import type { Cells } from '../../tools/conformance/judge.ts';
import { page, type Results } from '../../tools/conformance/page.ts';
import { toSent } from '../../tools/conformance/probes.ts';
import { programNames } from '../../tools/conformance/programs.ts';
import { read } from '../support/repository.ts';

const results = JSON.parse(read('tools/conformance/results/results.json')) as Results;
const metric: Metric = {
  name: 'requests_total',
  labels: { method: 'method', route: 'route', code: 'code' },
  unmatched: ['unmatched'],
  scrapes: { route: '/metrics' },
};
const user = { method: 'GET', route: '/users/:id', code: '200' };
const lost = { method: 'GET', code: '404' };
const aborted = { ...user, code: undefined };
const sample = (method: string, route: string, code: string, count = 1) =>
  `requests_total{method="${method}",route="${route}",code="${code}"} ${count}\n`;
const counted = sample('GET', '/users/:id', '200');

it.each([
  ['nothing if the count is correct', [user], counted, ''],
  ['nothing for scrapes', [user], counted + sample('GET', '/metrics', '200', 7), ''],
  ['nothing for a method in lower case', [user], sample('get', '/users/:id', '200'), ''],
  ['nothing for a class of codes', [user], sample('GET', '/users/:id', '2xx'), ''],
  ['nothing for the fixed label of unmatched requests', [lost], sample('GET', 'unmatched', '404'), ''],
  ['nothing for an aborted request with 499', [aborted], sample('GET', '/users/:id', '499'), ''],
  ['a missing request', [user], '', 'not counted'],
  ['a request that is counted twice', [user], sample('GET', '/users/:id', '200', 2), 'counted twice'],
  ['some missing requests', [user, user, user], counted, '1 of 3 counted'],
  ['a wrong method', [{ ...user, method: 'HEAD' }], counted, 'as GET'],
  ['a path instead of a label', [lost], sample('GET', '/a.php', '404'), 'under `/a.php`'],
  ['an aborted request as answered', [aborted], counted, 'as 200'],
  ['an aborted request, next to a helper', [{ ...user, isHelper: true }, aborted], counted, 'not counted'],
  [
    'labels that belong to other requests',
    [user, lost],
    sample('GET', '/users/:id', '404') + sample('GET', 'unmatched', '200'),
    'under labels of other requests',
  ],
])('describes %s', (_, sent, exposition, expected) => {
  expect(describeMistakes(toSent(sent, metric), difference('', exposition, metric))).toBe(expected);
});

it('counts only increases', () => {
  const before = sample('GET', '/users/:id', '200', 5);
  expect(difference(before, sample('GET', '/users/:id', '200', 7), metric)).toMatchObject([{ count: 2 }]);
});

it.each(programNames.filter((name) => 'cells' in results[name]))(
  '%s: every note is about a cell of the page',
  (name) => {
    const { cells } = results[name] as { cells: Cells };
    for (const note of columns[name].notes ?? []) expect(cells).toMatchObject(note.cells);
  },
);

it('the page lists a skipped library with the reason', () => {
  const text = page({ ...results, promhttp: { leftOut: 'go is not installed' } });
  expect(text).toContain('left out: go is not installed');
});
