/** The conversation, with fake engines; test/integration/commands.test.ts uses the real ones. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, it } from '@jest/globals';
import type { Engines } from '../src/answer.ts';
import { readProgress, writeProgress } from '../src/progress.ts';
import type { Outcome } from '../src/promtool.ts';
import type { Question } from '../src/questions.ts';
import { converse } from '../src/session.ts';

const QUESTIONS: Question[] = [
  {
    ...{ id: 'all', acceptsNumber: true, text: 'How many?', solution: 'sum(x)' },
    ...{ scenarios: ['traffic'], hints: ['Look at x.'], why: 'It is the sum.' },
  },
  {
    ...{ id: 'which', labels: ['path'], text: 'Which?', solution: 'topk(1, x)' },
    ...{ scenarios: ['traffic'], hints: [], why: 'It is the largest.' },
  },
  {
    ...{ id: 'type', text: 'What type?', solution: 'gauge', hints: [], why: 'Up and down.' },
    choices: { gauge: 'goes up and down', counter: 'only goes up' },
  },
];

const one = (value: number, labels = {}): Outcome => ({ samples: [{ labels, value }] });
/** The result of each query: now, and in the scenario. */
const ANSWERS: Record<string, [Outcome, Outcome]> = {
  'sum(x)': [one(100), one(150)],
  '100 + 0': [one(100), one(100)],
  'sum(x) * 3 / 3': [one(100.000000000001), one(150)],
  'topk(1, x)': [one(40, { path: 'cart' }), one(70, { path: 'cars' })],
  'x{path="cart"}': [one(40, { path: 'cart' }), one(20, { path: 'cart' })],
  'max(x)': [one(40), one(70)],
  'sum(': [{ refused: 'unclosed' }, { refused: 'unclosed' }],
  nothing: [{ samples: [] }, { samples: [] }],
};
const engines: Engines = {
  askLive: async (queries) => queries.map((query) => ANSWERS[query]?.[0] ?? { samples: [] }),
  evaluate: async (attempts) => attempts.map(({ query }) => ANSWERS[query]?.[1] ?? { samples: [] }),
};

async function play(lines: string[], solved: string[] = [], usedEngines = engines) {
  let text = '';
  const saved: string[] = [...solved];
  await converse({
    questions: QUESTIONS,
    progress: { solved },
    save: async (progress) => void saved.splice(0, saved.length, ...progress.solved),
    lines: Readable.from(lines)[Symbol.asyncIterator](),
    engines: usedEngines,
    screen: {
      write: (part) => {
        text += part;
      },
      paint: (_style, part) => part,
    },
  });
  return { text, saved };
}

it.each([
  ['99', 'Incorrect. 99 is not what your Prometheus answers now.'],
  [
    '100 + 0',
    'The value is correct, but only by coincidence.\n  In a simulated scenario it returns 100, and 150 is correct.',
  ],
  ['sum(', 'Incorrect. Prometheus refuses it: unclosed'],
  ['nothing', 'Incorrect. No series matches'],
  ['hint', '> Look at x.'],
  ['solution', '> sum(x)\nIt is the sum.'],
  ['100', 'Correct. That is what sum(x) answers now.'],
  [
    'sum(x) * 3 / 3',
    'Correct. Your Prometheus answers 100.\n  Also correct in simulated scenarios: more traffic.',
  ],
])('replies to %j at the first question: %j', async (line, said) => {
  const { text, saved } = await play([line]);
  expect(text).toContain(said);
  expect(saved).toEqual(said.startsWith('Correct') ? ['all'] : []);
});

it.each([
  ['x{path="cart"}', 'it returns 20 {path="cart"}, and 70 {path="cars"} is correct'],
  ['max(x)', 'it lacks the label path'],
  ['products', 'another one received more'],
  ['cart', 'Correct. It received 40.'],
  ['topk(1, x)', 'Correct. Your Prometheus answers 40 {path="cart"}.'],
])('replies to %j at the question for labels: %j', async (line, said) => {
  expect((await play(['skip', line])).text).toContain(said);
});

it('accepts a choice by its word, and explains the wrong ones', async () => {
  const { text } = await play(['skip', 'skip', 'histogram', 'Counter', 'gauge']);
  expect(text).toContain('3/3  What type?\n  gauge: goes up and down\n  counter: only goes up\n> ');
  expect(text).toContain('Expected one of gauge, counter, got "histogram".');
  expect(text).toContain('Incorrect. A counter only goes up.');
  expect(text).toContain('Correct. Up and down.');
  expect(text).toContain('2 skipped.');
});

it('continues where the learner stopped, and starts over when all questions are answered', async () => {
  const resumed = await play(['cart', 'gauge'], ['all']);
  expect(resumed.text).toContain('Welcome back: 1 of 3 answered.');
  expect(resumed.text).not.toContain('How many?');
  expect(resumed.text).toContain('All 3 answered.');
  expect(resumed.saved).toEqual(['all', 'which', 'type']);
  expect((await play(['quit'], resumed.saved)).text).toContain('1/3  How many?');
});

it('ends at the end of the input, and prints how to continue', async () => {
  expect((await play([])).text).toContain('0 of 3 answered. "make lab" continues from here.');
});

it('throws if the solution returns nothing in a scenario', async () => {
  const evaluate: Engines['evaluate'] = async (attempts) => attempts.map(() => ({ samples: [] }));
  await expect(play(['sum(x)'], [], { ...engines, evaluate })).rejects.toThrow(
    'expected the solution to return samples',
  );
});

it('keeps progress in a file, and starts over if the file is damaged', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lab-'));
  const file = join(folder, 'new/lab.json');
  expect(await readProgress(file, ['a', 'b'])).toEqual({ solved: [] });
  await writeProgress(file, { solved: ['b', 'gone'] });
  expect(await readProgress(file, ['a', 'b'])).toEqual({ solved: ['b'] });
  await writeFile(file, '{"solved": 7');
  expect(await readProgress(file, ['a', 'b'])).toEqual({ solved: [] });
  await rm(folder, { recursive: true });
});
