/**
 * The process: arguments, standard streams, exit code. `node lab/src/main.ts --prometheus URL --progress FILE [--answers] --
 * PROMTOOL...`; `make lab` calls it so. Exit code: 0 all answered or left, 2 wrong usage, 3 Prometheus or promtool not there,
 * 130 interrupted.
 */
import { createInterface } from 'node:readline';
import { parseArgs, styleText } from 'node:util';
import { Prometheus, UnreachableError } from '@observability-stack/loadgen/prometheus';
import { createAskLive } from './live.ts';
import { type Progress, readProgress, writeProgress } from './progress.ts';
import { createEvaluate } from './promtool.ts';
import { QUESTIONS } from './questions.ts';
import { converse, type Screen, showAnswers } from './session.ts';

const USAGE = 'usage: node lab/src/main.ts --prometheus URL --progress FILE [--answers] -- PROMTOOL...';

function readArguments() {
  const { values, positionals } = parseArgs({
    options: {
      prometheus: { type: 'string' },
      progress: { type: 'string' },
      answers: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  const { prometheus = '', progress = '', answers } = values;
  if (progress === '') throw new TypeError('--progress: expected a file, got nothing');
  if (positionals.length === 0) throw new TypeError('expected the command that runs promtool, got nothing');
  return { prometheus: new Prometheus(prometheus), progress, answers, promtool: positionals };
}

const screen: Screen = {
  write: (text) => void process.stdout.write(text),
  paint: (style, text) => styleText(style, text, { stream: process.stdout, validateStream: true }),
};

async function main(): Promise<number> {
  let words: ReturnType<typeof readArguments>;
  try {
    words = readArguments();
  } catch (error) {
    process.stderr.write(`lab: ${(error as Error).message}\n${USAGE}\n`);
    return 2;
  }
  const engines = {
    askLive: createAskLive(words.prometheus, Date.now),
    evaluate: createEvaluate(words.promtool),
  };
  try {
    await engines.askLive(['up']);
    if (words.answers) await showAnswers({ questions: QUESTIONS, engines, screen });
    else await talk(words.progress, engines);
    return 0;
  } catch (error) {
    process.stderr.write(`\nlab: ${(error as Error).message}\n`);
    if (error instanceof UnreachableError) return 3;
    return 1;
  }
}

async function talk(file: string, engines: Parameters<typeof converse>[0]['engines']): Promise<void> {
  const ids = QUESTIONS.map(({ id }) => id);
  const progress = await readProgress(file, ids);
  // Not before: what is read while nobody listens is lost.
  const input = createInterface({ input: process.stdin });
  const lines = input[Symbol.asyncIterator]();
  const save = (now: Progress) => writeProgress(file, now);
  await converse({ questions: QUESTIONS, progress, save, lines, engines, screen });
  input.close();
}

// Each answer is kept at once, so there is nothing to save here.
process.on('SIGINT', () => {
  process.stdout.write('\n"make lab" goes on from here.\n');
  process.exit(130);
});
process.exitCode = await main();
