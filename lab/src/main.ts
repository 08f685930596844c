/**
 * The process: arguments, standard streams, exit code. `make lab` runs `node lab/src/main.ts --prometheus URL --progress FILE
 * [--answers] -- PROMTOOL...`. Exit codes: 0 all answered, or quit; 3 Prometheus is unreachable; 130 interrupted; 1 otherwise.
 */
import { createInterface } from 'node:readline';
import { parseArgs, styleText } from 'node:util';
import { Prometheus, UnreachableError } from 'exact-load/prometheus';
import { createAskLive } from './live.ts';
import { readProgress, writeProgress } from './progress.ts';
import { createEvaluate } from './promtool.ts';
import { QUESTIONS } from './questions.ts';
import { converse, type Screen, showAnswers } from './session.ts';

const {
  values: { prometheus = '', progress: file = '', answers },
  positionals: promtool,
} = parseArgs({
  options: { prometheus: { type: 'string' }, progress: { type: 'string' }, answers: { type: 'boolean' } },
  allowPositionals: true,
});
const engines = {
  askLive: createAskLive(new Prometheus(prometheus), Date.now),
  evaluate: createEvaluate(promtool),
};
const screen: Screen = {
  write: (text) => void process.stdout.write(text),
  paint: (style, text) => styleText(style, text, { stream: process.stdout, validateStream: true }),
};

async function talk(): Promise<void> {
  const ids = QUESTIONS.map(({ id }) => id);
  const progress = await readProgress(file, ids);
  // Created only now, because readline drops lines that arrive before there is a reader.
  const input = createInterface({ input: process.stdin });
  await converse({
    questions: QUESTIONS,
    progress,
    save: (now) => writeProgress(file, now),
    lines: input[Symbol.asyncIterator](),
    engines,
    screen,
  });
  input.close();
}

// Each answer is saved immediately, so there is nothing to save here.
process.on('SIGINT', () => {
  process.stdout.write('\n"make lab" continues from here.\n');
  process.exit(130);
});
try {
  await engines.askLive(['up']);
  if (answers) await showAnswers({ questions: QUESTIONS, engines, screen });
  else await talk();
} catch (error) {
  process.stderr.write(`\nlab: ${(error as Error).message}\n`);
  process.exitCode = error instanceof UnreachableError ? 3 : 1;
}
