/** From what a learner typed to a verdict: decides what kind of answer it is, and evaluates where that is needed. */
import { isDecimal } from './decimal.ts';
import { judgeChoice, judgeNumber, judgeQuery, judgeWords, type Verdict, wordsOf } from './judge.ts';
import type { AskLive } from './live.ts';
import type { Evaluate, Outcome } from './promtool.ts';
import type { QueryQuestion, Question } from './questions.ts';
import { SITUATIONS } from './situations.ts';

export interface Engines {
  askLive: AskLive;
  evaluate: Evaluate;
}

/** In characters: more than any query here needs. */
const LONGEST_ANSWER = 1000;

export async function judge(question: Question, typed: string, engines: Engines): Promise<Verdict> {
  const given = typed.trim();
  if (given.length > LONGEST_ANSWER)
    return { right: false, why: [`Expected at most ${LONGEST_ANSWER} characters, got ${given.length}.`] };
  if (question.kind === 'choice') return judgeChoice(question, given);
  if (question.acceptsNumber && isDecimal(given)) {
    const [solution = NOTHING] = await engines.askLive([question.solution]);
    return judgeNumber(question, given, solution);
  }
  if (isWords(question, given)) {
    const [solution = NOTHING] = await engines.askLive([question.solution]);
    return judgeWords(question, given, solution);
  }
  const [answer = NOTHING, solution = NOTHING] = await engines.askLive([given, question.solution]);
  // What the engine does not understand here, it does not understand elsewhere.
  if ('refused' in answer) return judgeQuery(question, { answer, solution }, []);
  return judgeQuery(question, { answer, solution }, await tryElsewhere(question, given, engines));
}

const NOTHING: Outcome = { samples: [] };

/** Two words and nothing of a query's syntax. */
function isWords({ labels }: QueryQuestion, given: string): boolean {
  return labels !== undefined && wordsOf(given).length === labels.length && /^[\w/:,\s-]+$/.test(given);
}

async function tryElsewhere({ situations, solution }: QueryQuestion, given: string, { evaluate }: Engines) {
  const places = situations.map((name) => SITUATIONS[name]);
  const outcomes = await evaluate(
    places.flatMap((situation) => [
      { query: given, situation },
      { query: solution, situation },
    ]),
  );
  return places.map((situation, i) => {
    const [answer = NOTHING, right = NOTHING] = outcomes.slice(2 * i);
    // Two empty answers would be equal, and would prove nothing.
    if ('refused' in right || right.samples.length === 0)
      throw new Error(
        `the solution has no answer in the situation "${situation.name}": ${JSON.stringify(right)}`,
      );
    return { situation, answer, solution: right };
  });
}
