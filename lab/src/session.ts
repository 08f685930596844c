/** The conversation: asks, listens, answers, and remembers. It knows streams of lines, not terminals. */
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

/** @returns when all is answered or the learner leaves */
export async function converse(session: Session): Promise<void> {
  const { questions, screen } = session;
  if (questions.every(({ id }) => session.progress.solved.includes(id))) session.progress = { solved: [] };
  const { solved } = session.progress;
  const greeting =
    solved.length > 0
      ? `Welcome back: ${solved.length} of ${questions.length} are answered.`
      : 'Questions about your running stack.';
  screen.write(
    `${screen.paint('bold', greeting)}\nAn answer is a number or a query in PromQL. Besides: ${COMMANDS}.\n`,
  );
  for (const question of questions) {
    if (solved.includes(question.id)) continue;
    if ((await askOne(question, session)) === 'quit') {
      screen.write(`\n${solved.length} of ${questions.length} answered. "make lab" goes on from here.\n`);
      return;
    }
  }
  const open = questions.length - solved.length;
  if (open > 0) screen.write(`\n${open} skipped. "make lab" asks them again.\n`);
  else
    screen.write(
      `\n${screen.paint('green', `All ${questions.length} answered.`)} Next: docs/own-service.md\n`,
    );
}

async function askOne(question: Question, session: Session): Promise<'next' | 'quit'> {
  const { screen, lines, questions } = session;
  const number = questions.indexOf(question) + 1;
  screen.write(
    `\n${screen.paint('bold', `${number}/${questions.length}  ${question.text}`)}\n${choicesOf(question)}`,
  );
  let hints = 0;
  for (;;) {
    screen.write('> ');
    const { value, done } = await lines.next();
    if (done) return 'quit';
    const given = value.trim();
    switch (given.toLowerCase()) {
      case '':
        continue;
      case 'quit':
      case 'exit':
        return 'quit';
      case 'skip':
        return 'next';
      case 'help':
      case '?':
        screen.write(`An answer, or one of: ${COMMANDS}.\n`);
        continue;
      case 'list':
        screen.write(listOf(session));
        continue;
      case 'hint':
        screen.write(
          `${question.hints[hints++] ?? 'That was the last hint. There is "solution", and "skip".'}\n`,
        );
        continue;
      case 'solution':
        screen.write(`${question.solution}\n${question.why}\nType it, and see what it says; or skip.\n`);
        continue;
    }
    if (await isRight(question, given, session)) return 'next';
  }
}

async function isRight(question: Question, given: string, session: Session): Promise<boolean> {
  const { screen } = session;
  const { right, why } = await grade(question, given, session.engines);
  screen.write(
    `${right ? screen.paint('green', 'Right.') : screen.paint('red', 'Not right.')} ${why.join('\n  ')}\n`,
  );
  if (!right) return false;
  session.progress.solved.push(question.id);
  await session.save(session.progress);
  return true;
}

function choicesOf(question: Question): string {
  if (!('choices' in question)) return '';
  return Object.entries(question.choices)
    .map(([word, text]) => `  ${word}: ${text}\n`)
    .join('');
}

function listOf({ questions, progress }: Session): string {
  return questions
    .map(({ id, text }, i) => `  ${progress.solved.includes(id) ? 'x' : '-'} ${i + 1}  ${text}\n`)
    .join('');
}

/** Every question with its solution, and what the learner's Prometheus says to it now. */
export async function showAnswers({
  questions,
  engines,
  screen,
}: Pick<Session, 'questions' | 'engines' | 'screen'>): Promise<void> {
  for (const [i, question] of questions.entries()) {
    screen.write(
      `\n${screen.paint('bold', `${i + 1}/${questions.length}  ${question.text}`)}\n> ${question.solution}\n`,
    );
    const { right, why } = await grade(question, question.solution, engines);
    screen.write(`${right ? 'Right.' : 'Not right now.'} ${why.join('\n  ')}\n`);
  }
}
