/**
 * A document that a reader follows with two terminals, followed by a test: programs are started, commands are run, and what
 * they print is compared with what the document shows. In shown output `…` stands for anything within a line, and a line of
 * nothing else for any number of lines. Each section is followed for itself, so that one may be skipped.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Block {
  language: string;
  body: string;
}

export interface Section {
  title: string;
  blocks: Block[];
}

/** The sections of a document (its `##` headings) that have commands in them; a block of `sh setup` is not for each section. */
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

export interface Surroundings {
  /** Where commands are run. */
  folder: string;
  environment: NodeJS.ProcessEnv;
  /** What is put in the place of what: ports, folders. In this order. */
  replace: readonly (readonly [RegExp, string])[];
  /** What is put back in what is printed. */
  restore: readonly (readonly [RegExp, string])[];
  /** Commands that start a program which runs on, and the port on which each is known to be up. */
  programs: readonly { pattern: RegExp; port: number }[];
}

const DEADLINE_MS = 30_000;
const RETRY_MS = 250;

/** @throws Error with command, expectation and output of the first that differs */
export async function follow({ blocks }: Section, surroundings: Surroundings): Promise<void> {
  let program: ChildProcess | undefined;
  try {
    for (const [i, { language, body }] of blocks.entries()) {
      if (language !== 'sh') continue;
      const command = surroundings.replace.reduce((text, [from, to]) => text.replace(from, to), body);
      const started = surroundings.programs.find(({ pattern }) => pattern.test(body));
      if (started !== undefined) {
        await stop(program);
        program = await start(command, started.port, surroundings);
        continue;
      }
      const next = blocks[i + 1];
      await compare(body, command, next?.language === 'text' ? next.body : undefined, surroundings);
    }
  } finally {
    await stop(program);
  }
}

/** What only reads may be asked again until the answer is there, as a reader would. */
const READS = /^(node \S+ query |make query |curl -s localhost:8000)/;

async function compare(
  shown: string,
  command: string,
  expected: string | undefined,
  { folder, environment, restore }: Surroundings,
): Promise<void> {
  const isRead = shown.split('\n').every((line) => READS.test(line));
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const printed = await run(command, folder, environment);
    const output = restore.reduce((text, [from, to]) => text.replace(from, to), printed);
    if (expected === undefined || fits(expected, output)) return;
    if (!isRead || performance.now() > deadline)
      throw new Error(`${shown}\n--- is shown to print\n${expected}\n--- and printed\n${output}`);
    await sleep(RETRY_MS);
  }
}

/** Standard output and standard error, as a terminal mixes them; without the end of the last line. */
function run(command: string, cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve) => {
    execFile('bash', ['-c', `{ ${command}\n} 2>&1`], { cwd, env, timeout: 60_000 }, (_error, stdout) =>
      resolve(stdout.trimEnd()),
    );
  });
}

/** Whether what was printed is what is shown. Columns may be wider: how much space is between words does not count. */
export function fits(shown: string, printed: string): boolean {
  const lines = normalize(shown).map((line) =>
    line === '…' ? '(?:.*\\n)*?' : `${line.split('…').map(escaped).join('.*')}\n`,
  );
  return new RegExp(`^${lines.join('')}$`).test(`${normalize(printed).join('\n')}\n`);
}

const normalize = (text: string) => text.split('\n').map((line) => line.trim().replace(/ +/g, ' '));
const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

async function start(
  command: string,
  port: number,
  { folder, environment }: Surroundings,
): Promise<ChildProcess> {
  const [file = '', ...words] = command.split(' ');
  const child = spawn(file, words, { cwd: folder, env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await isOpen(port))) {
    if (child.exitCode !== null || performance.now() > deadline)
      throw new Error(`${command}: not up: ${said}`);
    await sleep(20);
  }
  return child;
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, 'localhost', () => {
      socket.destroy();
      resolve(true);
    }).on('error', () => resolve(false));
  });
}

async function stop(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill();
  await exit;
}
