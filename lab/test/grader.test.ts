/** Answers that are almost correct: the grader accepts a number only if it is exact, and rejects values that are not finite. */
import { describe, expect, it } from '@jest/globals';
import type { QueryAnswer } from 'exact-load/prometheus';
import { grade } from '../src/answer.ts';
import { isExactly } from '../src/decimal.ts';
import { createAskLive } from '../src/live.ts';
import type { Outcome } from '../src/promtool.ts';
import type { ChoiceQuestion, QueryQuestion } from '../src/questions.ts';

const question: QueryQuestion = {
  ...{ id: 'all', acceptsNumber: true, text: 'How many?', solution: 'sum(x)' },
  ...{ scenarios: ['traffic'], hints: [], why: 'It is the sum.' },
};
const one = (value: number): Outcome => ({ samples: [{ labels: {}, value }] });

/** Grades an answer whose result is the same everywhere; the solution is `solution` here and 150 in the scenario. */
async function isRight(typed: string, solution: number, answer: Outcome = { refused: 'no query' }) {
  const { right, why } = await grade(question, typed, {
    askLive: async (queries) => queries.map((query) => (query === 'sum(x)' ? one(solution) : answer)),
    evaluate: async (attempts) => attempts.map(({ query }) => (query === 'sum(x)' ? one(150) : answer)),
  });
  expect(why.join('\n')).not.toBe('');
  return right;
}

describe('a number', () => {
  it.each(['100', ' 100\t', '+100', '100.', '100.000', '0100', '1e2', '1E+2', '.1e3', '10000e-2'])(
    '%j is 100',
    async (typed) => expect(await isRight(typed, 100)).toBe(true),
  );

  it.each([
    ...'1e999 -1e999 1e309 99 101 -100 1e3 10 1000 0 . e2 1e --100'.split(' '),
    ...'100.0000001 99.9999999999 100.00000000000000001 99.99999999999999999999'.split(' '),
    ...'1e99999999999999999 NaN nan Infinity -Infinity Inf +Inf 0x64 0b1100100 0o144'.split(' '),
    ...'1_00 1,00 100,0 １００ ١٠٠ 100n 100\u0000 100% 1/0 null undefined [100] "100" 10²'.split(' '),
    ...['', '1 00', '100; 100', '100\n100', '$(echo 100)'],
    ...['9'.repeat(1e6), `${'0'.repeat(1e6)}100`, `1e${'9'.repeat(900)}`],
  ])('%.40j is not', async (typed) => expect(await isRight(typed, 100)).toBe(false));

  it.each(['0', '-0', '0.0', '0e99', '.0'])('%j is 0', async (typed) =>
    expect(await isRight(typed, 0)).toBe(true),
  );

  it.each(['1e-999', '-1e-400', '0.0000000000000001', '5e-324'])('%j is not 0', async (typed) =>
    expect(await isRight(typed, 0)).toBe(false),
  );

  it.each([Number.NaN, Infinity, -Infinity])(
    'no number is correct if the solution is %d',
    async (solution) => {
      for (const typed of ['0', '1e999', '-1e999', String(solution)])
        expect(await isRight(typed, solution, one(solution))).toBe(false);
    },
  );

  it('equals its decimal notation, but no neighbouring number', () => {
    for (let i = 1; i < 2000; i++) {
      const value = Math.sin(i) * 10 ** ((i % 40) - 20);
      for (const text of [String(value), value.toExponential(), `+0${Math.abs(value)}`])
        expect([text, isExactly(text, text.startsWith('+') ? Math.abs(value) : value)]).toEqual([text, true]);
      expect(isExactly(String(value), value * (1 + 2 ** -52))).toBe(false);
    }
  });
});

describe('a query', () => {
  const answers: [string, Outcome, Outcome][] = [
    ['NaN like the solution', one(Number.NaN), one(Number.NaN)],
    ['+Inf like the solution', one(Infinity), one(Infinity)],
    ['+Inf for 100', one(Infinity), one(100)],
    ['-Inf for 100', one(-Infinity), one(100)],
    ['NaN for 100', one(Number.NaN), one(100)],
    ['nothing', { samples: [] }, one(100)],
    ['several series', { samples: [100, 50].map((value) => ({ labels: {}, value })) }, one(100)],
    ['100 twice', { samples: [100, 100].map((value) => ({ labels: {}, value })) }, one(100)],
    ['100.0000001', one(100.0000001), one(100)],
    ['100.00000000001', one(100.00000000001), one(100)],
    ['a tiny number for 0', one(5e-324), one(0)],
    ['an error', { refused: 'no' }, one(100)],
    ['100 for nothing', one(100), { samples: [] }],
  ];
  it.each(answers)('that returns %s is wrong', async (_name, answer, solution) => {
    const { right } = await grade(question, 'f(x)', {
      askLive: async () => [answer, solution],
      // Correct in the scenario, so that only the live result can make it wrong.
      evaluate: async (attempts) => attempts.map(() => one(150)),
    });
    expect(right).toBe(false);
  });

  it.each([Number.NaN, Infinity, 150.0000001])(
    'that returns %d instead of 150 in a scenario is wrong',
    async (value) => {
      const { right } = await grade(question, 'f(x)', {
        askLive: async () => [one(100), one(100)],
        evaluate: async () => [one(value), one(150)],
      });
      expect(right).toBe(false);
    },
  );

  it('that returns NaN gets an explanation', async () => {
    const { why } = await grade(question, 'f(x)', {
      askLive: async () => [one(Number.NaN), one(Number.NaN)],
      evaluate: async () => [one(150), one(150)],
    });
    expect(why.join('\n')).toContain('not a finite number');
  });
});

it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', ''])(
  '%j is not a choice',
  async (word) => {
    const choice: ChoiceQuestion = {
      ...{ id: 'type', text: 'Which?', solution: 'gauge', hints: [], why: 'Up and down.' },
      choices: { gauge: 'goes up and down', counter: 'only goes up' },
    };
    const engines = { askLive: async () => [], evaluate: async () => [] };
    expect(await grade(choice, word, engines)).toEqual({
      right: false,
      why: [`Expected one of gauge, counter, got "${word}".`],
    });
  },
);

it.each<[string, QueryAnswer]>([
  ['a string', { resultType: 'string', result: [0, '100'] }],
  ['a matrix', { resultType: 'matrix', result: [] }],
  [
    'a native histogram',
    { resultType: 'vector', result: [{ metric: {}, histogram: [0, { count: 1, sum: 1 }] }] },
  ],
  ['an odd number', { resultType: 'scalar', result: [0, ''] }],
])('%s from Prometheus is not a correct answer', async (_name, answer) => {
  const askLive = createAskLive({ ask: async () => answer }, () => 0);
  const { right } = await grade(question, 'f(x)', {
    askLive: async (queries) => [...(await askLive(queries.slice(0, 1))), one(100)],
    evaluate: async () => [one(150), one(150)],
  });
  expect(right).toBe(false);
});
