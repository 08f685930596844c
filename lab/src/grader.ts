/** Decides whether an answer is correct, and why. Pure: the caller evaluates the queries. */
import { isExactly } from './decimal.ts';
import type { Outcome, Sample } from './promtool.ts';
import type { ChoiceQuestion, QueryQuestion } from './questions.ts';
import type { Scenario } from './scenarios.ts';

export interface Verdict {
  right: boolean;
  /** Lines for the learner. */
  why: string[];
}

/** The results of the answer and the solution, on the learner's stack or in a scenario. */
export interface Trial {
  answer: Outcome;
  solution: Outcome;
}

export function gradeQuery(
  question: QueryQuestion,
  live: Trial,
  trials: readonly (Trial & { scenario: Scenario })[],
): Verdict {
  const { answer, solution } = live;
  if ('refused' in answer) return wrong(`Prometheus refuses it: ${answer.refused}`);
  if ('refused' in solution) return wrong(`Your Prometheus refuses the solution itself: ${solution.refused}`);
  const shown = `Your Prometheus answers ${format(answer.samples)}.`;
  if (answer.samples.length === 0) return wrong('No series matches now. Check the names and labels.');
  if (question.labels === undefined && answer.samples.length > 1)
    return wrong(shown, `Expected one number, got ${answer.samples.length} series.`);
  if (!answer.samples.every(({ value }) => Number.isFinite(value)))
    return wrong(
      shown,
      'That is not a finite number. A ratio is NaN (0/0) without traffic in its window: run "make load" and try again.',
    );
  const isMissing = (label: string) => !answer.samples.every(({ labels }) => label in labels);
  const missing = question.labels?.filter(isMissing) ?? [];
  if (missing.length > 0)
    return wrong(
      shown,
      `The result must show which one: it lacks the label ${missing.join(' and the label ')}.`,
    );
  const elsewhere = trials.find((trial) => !agree(question, trial));
  if (!agree(question, live))
    return wrong(
      shown,
      'That is not the correct value.',
      ...(elsewhere === undefined ? [] : [explain(elsewhere)]),
    );
  if (elsewhere !== undefined)
    return wrong(shown, 'The value is correct, but only by coincidence.', explain(elsewhere));
  const also = trials.map(({ scenario }) => scenario.name).join(', ');
  return { right: true, why: [shown, `Also correct in simulated scenarios: ${also}.`, question.why] };
}

function explain({ scenario, answer, solution }: Trial & { scenario: Scenario }): string {
  const right = 'refused' in solution ? solution.refused : format(solution.samples);
  const given = 'refused' in answer ? answer.refused : format(answer.samples);
  return `In a simulated scenario it returns ${given}, and ${right} is correct. ${scenario.lesson}`;
}

/** Grades an answer that is not a query: the exact number, or the values of the labels in any order: `products post`. */
export function gradeValue(question: QueryQuestion, given: string, solution: Outcome): Verdict {
  const { labels } = question;
  if ('refused' in solution) return wrong(`Your Prometheus refuses the solution itself: ${solution.refused}`);
  const [top] = solution.samples;
  if (top === undefined) return wrong('Your Prometheus has no data about it yet: run "make load" first.');
  if (labels === undefined)
    return isExactly(given, top.value)
      ? { right: true, why: [`That is what ${question.solution} answers now.`, question.why] }
      : wrong(`${given} is not what your Prometheus answers now.`);
  const expected = labels.map((label) => top.labels[label] ?? '');
  if (wordsOf(given).sort().join(' ') !== expected.sort().join(' '))
    return wrong('According to your Prometheus, another one received more.');
  return { right: true, why: [`It received ${top.value}. The query: ${question.solution}`, question.why] };
}

export function gradeChoice(question: ChoiceQuestion, given: string): Verdict {
  const word = given.toLowerCase();
  if (!Object.hasOwn(question.choices, word))
    return wrong(`Expected one of ${Object.keys(question.choices).join(', ')}, got "${given}".`);
  return word === question.solution
    ? { right: true, why: [question.why] }
    : wrong(`A ${word} ${question.choices[word]}.`);
}

export const wordsOf = (text: string): string[] => text.toLowerCase().match(/[a-z][a-z0-9/:_-]*/g) ?? [];

const wrong = (...why: string[]): Verdict => ({ right: false, why });

function agree({ labels = [] }: QueryQuestion, { answer, solution }: Trial): boolean {
  if ('refused' in answer || 'refused' in solution) return false;
  if (answer.samples.length !== solution.samples.length) return false;
  const key = (sample: Sample) => labels.map((label) => sample.labels[label] ?? '').join('\n');
  return solution.samples.every((right) =>
    answer.samples.some((given) => key(given) === key(right) && isClose(given.value, right.value)),
  );
}

/** Tolerates additions in another order, which change the last bits. Values that are not finite are close to no value. */
function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-13 * Math.min(Math.abs(a), Math.abs(b));
}

const MOST_SHOWN = 4;

function format(samples: readonly Sample[]): string {
  if (samples.length === 0) return 'nothing';
  const shown = samples.slice(0, MOST_SHOWN).map(({ labels, value }) => {
    const pairs = Object.entries(labels).filter(([name]) => name !== '__name__' && name !== 'job');
    const number = Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
    return pairs.length === 0
      ? number
      : `${number} {${pairs.map(([name, text]) => `${name}="${text}"`).join(', ')}}`;
  });
  return shown.join(', ') + (samples.length > MOST_SHOWN ? `, and ${samples.length - MOST_SHOWN} more` : '');
}
