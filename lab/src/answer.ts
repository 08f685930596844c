/** Turns the learner's input into a verdict: decides what kind of answer it is, and evaluates queries. */
import { isDecimal } from './decimal.ts';
import { gradeChoice, gradeQuery, gradeValue, type Verdict, wordsOf } from './grader.ts';
import type { AskLive } from './live.ts';
import type { Evaluate, Outcome } from './promtool.ts';
import type { QueryQuestion, Question } from './questions.ts';
import { SCENARIOS } from './scenarios.ts';

export interface Engines {
  askLive: AskLive;
  evaluate: Evaluate;
}

/** In characters; longer than any solution. */
const LONGEST_ANSWER = 1000;
const NOTHING: Outcome = { samples: [] };

export async function grade(question: Question, typed: string, engines: Engines): Promise<Verdict> {
  const given = typed.trim();
  if (given.length > LONGEST_ANSWER)
    return { right: false, why: [`Expected at most ${LONGEST_ANSWER} characters, got ${given.length}.`] };
  if ('choices' in question) return gradeChoice(question, given);
  if (question.acceptsNumber ? isDecimal(given) : isWords(question, given)) {
    const [solution = NOTHING] = await engines.askLive([question.solution]);
    return gradeValue(question, given, solution);
  }
  const [answer = NOTHING, solution = NOTHING] = await engines.askLive([given, question.solution]);
  // If the engine refuses the query once, it refuses the query in every scenario.
  if ('refused' in answer) return gradeQuery(question, { answer, solution }, []);
  return gradeQuery(question, { answer, solution }, await tryElsewhere(question, given, engines));
}

/** Whether the text has as many words as the question has labels, and none of a query's syntax. */
function isWords({ labels }: QueryQuestion, given: string): boolean {
  return labels !== undefined && wordsOf(given).length === labels.length && /^[\w/:,\s-]+$/.test(given);
}

async function tryElsewhere(question: QueryQuestion, given: string, { evaluate }: Engines) {
  const scenarios = question.scenarios.map((name) => SCENARIOS[name]);
  const outcomes = await evaluate(
    scenarios.flatMap((scenario) => [given, question.solution].map((query) => ({ query, scenario }))),
  );
  return scenarios.map((scenario, i) => {
    const [answer = NOTHING, solution = NOTHING] = outcomes.slice(2 * i);
    // Comparing two empty results would prove nothing.
    if ('refused' in solution || solution.samples.length === 0)
      throw new Error(
        `scenario "${scenario.name}": expected the solution to return samples, got ${JSON.stringify(solution)}`,
      );
    return { scenario, answer, solution };
  });
}
