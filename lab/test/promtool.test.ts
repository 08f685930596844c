/** The test file for promtool, and promtool's report in the wording of version 3.5. */
import { expect, it } from '@jest/globals';
import { createEvaluate, parseReport, toTestFile } from '../src/promtool.ts';

const scenario = { name: 'one', lesson: '', series: { 'x{a="b"}': '0+1x9' } };

it('writes each query with its scenario, and the number of the attempt in a comment', () => {
  const file = JSON.parse(toTestFile([{ query: 'x # mine', scenario }]));
  expect(file.tests[0].input_series).toEqual([{ series: 'x{a="b"}', values: '0+1x9' }]);
  expect(file.tests[0].promql_expr_test[0].expr).toBe('x # mine\n# attempt 0');
});

it('parses samples with any label values, scalars, special values and errors', () => {
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

it('returns an empty result for a query that the report does not mention', async () => {
  const evaluate = createEvaluate([process.execPath, '-e', 'console.log("  SUCCESS")', '--']);
  expect(await evaluate([{ query: 'nothing', scenario }])).toEqual([{ samples: [] }]);
});

it.each([
  ['promtool cannot evaluate', 'console.log("  FAILED:\\nopening test directory: read-only")', 'read-only'],
  ['promtool prints nothing', '', '(nothing)'],
])('rejects if %s', async (_name, script, said) => {
  const evaluate = createEvaluate([process.execPath, '-e', script, '--']);
  await expect(evaluate([{ query: 'x', scenario }])).rejects.toThrow(said);
});
