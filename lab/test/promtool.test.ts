/** What promtool says, as version 3.5 words it, and what it is asked. */
import { expect, it } from '@jest/globals';
import { createEvaluate, parseReport, toTestFile } from '../src/promtool.ts';

const scenario = { name: 'one', lesson: '', series: { 'x{a="b"}': '0+1x9' } };

it('asks for each query in its scenario, with its number in a comment', () => {
  const file = JSON.parse(toTestFile([{ query: 'x # mine', scenario }]));
  expect(file.tests[0].input_series).toEqual([{ series: 'x{a="b"}', values: '0+1x9' }]);
  expect(file.tests[0].promql_expr_test[0].expr).toBe('x # mine\n# attempt 0');
});

it('reads samples with whatever is in their labels, scalars, special values and refusals', () => {
  const report = [
    '  FAILED:',
    '    expr: "x\\n# attempt 0", time: 9m,',
    '        exp: nil',
    '        got: {__name__="x", path="a => b, {c"} 2E+02, {__name__="x", path="\\"q\\\\"} 2.5E+00',
    '    expr: "33\\n# attempt 2", time: 9m,',
    '        exp: nil',
    '        got: {} 3.3E+01',
    '    expr: "0/0\\n# attempt 3", time: 9m,',
    '        exp: nil',
    '        got: {} NaN, {a="b"} -Inf',
    '    expr: "sum(\\n# attempt 4", time: 9m, err: 1:5: parse error: unclosed left parenthesis',
    '',
  ].join('\n');
  expect([...parseReport(report)]).toEqual([
    [
      0,
      {
        samples: [
          { labels: { __name__: 'x', path: 'a => b, {c' }, value: 200 },
          { labels: { __name__: 'x', path: '"q\\' }, value: 2.5 },
        ],
      },
    ],
    [2, { samples: [{ labels: {}, value: 33 }] }],
    [
      3,
      {
        samples: [
          { labels: {}, value: Number.NaN },
          { labels: { a: 'b' }, value: -Infinity },
        ],
      },
    ],
    [4, { refused: '1:5: parse error: unclosed left parenthesis' }],
  ]);
});

it('takes what is not mentioned in a report for an empty answer', async () => {
  const evaluate = createEvaluate([process.execPath, '-e', 'console.log("  SUCCESS")', '--']);
  expect(await evaluate([{ query: 'nothing', scenario }])).toEqual([{ samples: [] }]);
});

it.each([
  [
    'a promtool that cannot evaluate',
    'console.log("  FAILED:\\nopening test directory: read-only")',
    'read-only',
  ],
  ['one that says nothing', '', '(nothing)'],
])('is no evaluation: %s', async (_name, script, said) => {
  const evaluate = createEvaluate([process.execPath, '-e', script, '--']);
  await expect(evaluate([{ query: 'x', scenario }])).rejects.toThrow(said);
});
