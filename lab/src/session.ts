/** The conversation: asks questions, reads answers, grades them and saves progress. Works on streams of lines, not terminals. */
import { type Engines, grade } from './answer.ts';
import type { Progress } from './progress.ts';
import type { Question } from './questions.ts';

export type Style = 'bold' | 'green' | 'red' | 'dim';

export interface Screen {
  write(text: string): void;
  paint(style: Style, text: string): string;
}

export interface Session {
  questions: readonly Question[];
  progress: Progress;
  save(progress: Progress): Promise<void>;
  lines: AsyncIterator<string>;
  engines: Engines;
  screen: Screen;
}

const COMMANDS = 'hint, solution, skip, list, quit';

/** Resolves when all questions are answered or the learner quits. */
export async function converse(session: Session): Promise<void> {
  const { questions, screen } = session;
  if (questions.every(({ id }) => session.progress.solved.includes(id))) session.progress = { solved: [] };
  const { solved } = session.progress;
  const greeting =
    solved.length > 0
      ? `Welcome back: ${solved.length} of ${questions.length} answered.`
      : 'Questions about your running stack.';
  screen.write(
    `${screen.paint('bold', greeting)}\nAnswer with a number, a word or a query in PromQL, Prometheus' language.\nCommands: ${COMMANDS}.\n`,
  );
  for (const question of questions) {
    if (solved.includes(question.id)) continue;
    if ((await askOne(question, session)) === 'quit') {
      screen.write(`\n${solved.length} of ${questions.length} answered. "make lab" continues from here.\n`);
      return;
    }
  }
  const open = questions.length - solved.length;
  if (open > 0) screen.write(`\n${open} skipped. "make lab" asks these again.\n`);
  else
    screen.write(
      `\n${screen.paint('green', `All ${questions.length} answered.`)} Next: docs/own-service.md\n`,
    );
}

async function askOne(question: Question, session: Session): Promise<'next' | 'quit'> {
  const { screen, lines, questions, progress } = session;
  writeQuestion(question, session);
  const choices = 'choices' in question ? Object.entries(question.choices) : [];
  for (const [word, text] of choices) screen.write(`  ${word}: ${text}\n`);
  let hints = 0;
  const replies: Readonly<Record<string, () => string>> = {
    help: () => `Type an answer, or one of: ${COMMANDS}.`,
    hint: () => question.hints[hints++] ?? 'No more hints. Type "solution" or "skip".',
    list: () =>
      questions
        .map(({ id, text }, i) => `  ${progress.solved.includes(id) ? 'x' : '-'} ${i + 1}  ${text}`)
        .join('\n'),
    solution: () => `${question.solution}\n${question.why}\nType it to see its result, or "skip".`,
  };
  for (;;) {
    screen.write('> ');
    const { value, done } = await lines.next();
    if (done) return 'quit';
    const given = value.trim();
    const word = given === '?' ? 'help' : given.toLowerCase();
    if (word === 'quit' || word === 'exit') return 'quit';
    if (word === 'skip') return 'next';
    if (Object.hasOwn(replies, word)) screen.write(`${replies[word]?.()}\n`);
    else if (word !== '' && (await isRight(question, given, session))) return 'next';
  }
}

function writeQuestion(question: Question, { questions, screen }: Pick<Session, 'questions' | 'screen'>) {
  const number = `${questions.indexOf(question) + 1}/${questions.length}`;
  screen.write(`\n${screen.paint('bold', `${number}  ${question.text}`)}\n`);
}

async function isRight(question: Question, given: string, session: Session): Promise<boolean> {
  const { screen, progress } = session;
  const { right, why } = await grade(question, given, session.engines);
  const verdict = right ? screen.paint('green', 'Correct.') : screen.paint('red', 'Incorrect.');
  screen.write(`${verdict} ${why.join('\n  ')}\n`);
  if (!right) return false;
  progress.solved.push(question.id);
  await session.save(progress);
  return true;
}

/** Prints every question with its solution and the current result of the learner's Prometheus. */
export async function showAnswers(session: Pick<Session, 'questions' | 'engines' | 'screen'>): Promise<void> {
  const { questions, engines, screen } = session;
  for (const question of questions) {
    writeQuestion(question, session);
    const { right, why } = await grade(question, question.solution, engines);
    screen.write(`> ${question.solution}\n${right ? 'Correct.' : 'Incorrect now.'} ${why.join('\n  ')}\n`);
  }
}
