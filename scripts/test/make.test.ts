/** What `make` hands to the scripts. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';

const cwd = fileURLToPath(new URL('../..', import.meta.url));

/** The commands that make would run. */
async function commandsOf(...words: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('make', ['--dry-run', ...words], { cwd });
  return stdout.trim();
}

it.each([
  [['load'], 'scripts/stack.sh load lab'],
  [['load', 'PATTERN=./my.yaml'], 'scripts/stack.sh load ./my.yaml'],
  [['load', 'ARGS=--rate 200 --duration 1m'], 'scripts/stack.sh load lab --rate 200 --duration 1m'],
  [
    ['load', 'PATTERN=steady', 'ARGS=--threshold "p99<50ms"'],
    'scripts/stack.sh load steady --threshold "p99<50ms"',
  ],
])('make %j', async (words, command) => {
  expect(await commandsOf(...words)).toBe(command);
});

it.each([
  'sum(http_requests_total)',
  'up',
  'http_requests_total{path!~"cart|$x"} == 1',
  'a:b:rate1m{c="d"} % 2',
  "sum by (query) (rate(x[5m])) > 'y'",
])('make query %s hands the query on as it was typed', async (query) => {
  const words = ['--silent', `--file=${cwd}Makefile`, 'query', query];
  // Its script is one that shows what it gets.
  const folder = await mkdtemp(join(tmpdir(), 'make-'));
  await mkdir(join(folder, 'scripts'));
  await cp(join(cwd, 'scripts/words-of.sh'), join(folder, 'scripts/words-of.sh'));
  await writeFile(join(folder, 'scripts/stack.sh'), '#!/bin/sh\nprintf "%s|" "$@"\n', { mode: 0o755 });
  const { stdout, stderr } = await promisify(execFile)('make', words, { cwd: folder });
  await rm(folder, { recursive: true });
  expect({ stdout, stderr }).toEqual({ stdout: `query|${query}|`, stderr: '' });
});
