/**
 * A document for a reader with two terminals, followed by a test: it starts programs, runs commands, and compares their output
 * with the document. In shown output, `…` matches anything within a line, and a line with only `…` any number of lines. Each
 * section runs independently, so that it may be skipped.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningCommand, run, start as startCommand } from './command.ts';
import { isOpen } from './free-port.ts';
import { PATIENCE_MS, until } from './until.ts';

export interface Block {
  language: string;
  body: string;
}

export interface Section {
  title: string;
  blocks: Block[];
}

/** The sections of a document (its `##` headings) that have commands; a block of `sh setup` is not one of them. */
export function readSections(document: string): Section[] {
  const parts = document.split(/^## /m).slice(1);
  const sections = parts.map((part) => ({
    title: part.slice(0, part.indexOf('\n')).trim(),
    blocks: [...part.matchAll(/^```([^\n]+)\n(.*?)^```$/gms)].map(([, language = '', body = '']) => ({
      language,
      body: body.trimEnd(),
    })),
  }));
  return sections.filter(({ blocks }) => blocks.some(({ language }) => language === 'sh'));
}

export type Replacement = readonly [from: RegExp, to: string];
export const replaced = (text: string, replacements: readonly Replacement[]): string =>
  replacements.reduce((now, [from, to]) => now.replace(from, to), text);

export interface Surroundings {
  environment: NodeJS.ProcessEnv;
  /** Replacements in commands, in this order: ports, folders. */
  replace: readonly Replacement[];
  /** Replacements in output, back to the document's values. */
  restore: readonly Replacement[];
  /** Commands that start a long-running program, and the port that shows that each is up. */
  programs: readonly { pattern: RegExp; port: number }[];
}

const RETRY_MS = 250;

/** @throws Error with command, expectation and output of the first difference */
export async function follow({ blocks }: Section, surroundings: Surroundings): Promise<void> {
  let program: RunningCommand | undefined;
  try {
    for (const [i, { language, body }] of blocks.entries()) {
      if (language !== 'sh') continue;
      const command = replaced(body, surroundings.replace);
      const started = surroundings.programs.find(({ pattern }) => pattern.test(body));
      if (started !== undefined) {
        await stop(program);
        program = await start(command, started.port, surroundings.environment);
        continue;
      }
      const next = blocks[i + 1];
      await compare(body, command, next?.language === 'text' ? next.body : undefined, surroundings);
    }
  } finally {
    await stop(program);
  }
}

/** Repeats read-only commands until the output matches, as a reader would. */
const READS = /^(node \S+ query |make query |curl -s localhost:8000)/;

async function compare(
  shown: string,
  command: string,
  expected: string | undefined,
  { environment, restore }: Surroundings,
): Promise<void> {
  const isRead = shown.split('\n').every((line) => READS.test(line));
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    // Standard output and standard error, as a terminal mixes them.
    const { stdout } = await run('bash', ['-c', `{ ${command}\n} 2>&1`], environment);
    const output = replaced(stdout.trimEnd(), restore);
    if (expected === undefined || fits(expected, output)) return;
    if (!isRead || performance.now() > deadline)
      throw new Error(`${shown}\n--- is shown to print\n${expected}\n--- and printed\n${output}`);
    await sleep(RETRY_MS);
  }
}

/** Whether the output matches the document. Columns may be wider: the amount of space between words does not matter. */
export function fits(shown: string, printed: string): boolean {
  const lines = normalize(shown).map((line) =>
    line === '…' ? '(?:.*\\n)*?' : `${line.split('…').map(escaped).join('.*')}\n`,
  );
  return new RegExp(`^${lines.join('')}$`).test(`${normalize(printed).join('\n')}\n`);
}

const normalize = (text: string) => text.split('\n').map((line) => line.trim().replace(/ +/g, ' '));
const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

async function start(command: string, port: number, environment: NodeJS.ProcessEnv): Promise<RunningCommand> {
  const [file = '', ...words] = command.split(' ');
  const program = startCommand(file, words, environment);
  await until(
    () => `${command} to listen: ${program.stderr()}`,
    () => {
      if (program.process.exitCode !== null) throw new Error(`${command} has ended: ${program.stderr()}`);
      return isOpen(port);
    },
  );
  return program;
}

async function stop(program: RunningCommand | undefined): Promise<void> {
  program?.process.kill();
  await program?.result;
}
