/** What `make` hands to the scripts: exactly what was typed, with nothing of it expanded or executed on the way. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const repository = fileURLToPath(new URL('../..', import.meta.url));
/** Also where a value that is executed leaves its file: a target runs in this folder. */
let folder = '';

/** The Makefile with scripts that print their words and variables. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'make-'));
  await mkdir(join(folder, 'scripts'));
  for (const file of ['Makefile', 'scripts/words.sh']) await cp(join(repository, file), join(folder, file));
  const script = 'printf "%s\\0" "$Q" "$DURATION" "$SHARDS" "$(basename "$0")" "$@"\n';
  for (const name of ['stack', 'rolling', 'backup', 'kubernetes', 'test', 'bench', 'lab'])
    await writeFile(join(folder, `scripts/${name}.sh`), `#!/bin/sh\n${script}`, { mode: 0o755 });
});
afterAll(() => rm(folder, { recursive: true }));

interface Called {
  words: string[];
  [variable: string]: unknown;
}

/** As a user calls it, not as a part of the make that runs the tests. */
async function make(words: string[], variables: Record<string, string> = {}): Promise<Called> {
  const env = { PATH: process.env.PATH, ...variables };
  const { stdout, stderr } = await promisify(execFile)('make', words, { cwd: folder, env });
  expect(stderr).toBe('');
  expect((await readdir(folder)).sort()).toEqual(['Makefile', 'scripts']);
  const [Q, DURATION, SHARDS, script = '', ...rest] = stdout.split('\0').slice(0, -1);
  return { words: [script.replace('.sh', ''), ...rest], Q, DURATION, SHARDS };
}

/** PromQL that make or a shell would take apart, and what would leave a file if it were executed. */
const HOSTILE = [
  'sum(http_requests_total)',
  'up{job!="api"}',
  "up{job!='api'} == 1 # != $$ comment",
  'a:b:rate1m{c=~"x|$y"} % 2',
  '$(shell touch pwned)',
  '$(touch pwned)$(HOME)$Q$$',
  '`touch pwned`',
  'a; touch pwned; b && touch pwned | x > pwned',
  '"; touch pwned; "',
  "'; touch pwned; '",
  'an "open quote',
  "an 'open quote",
  'two\nlines\n',
  'spaces \t ',
  '--help',
  '-n',
  '%s %% \\n \\',
  '*',
  'override := x',
  '!touch pwned',
  'é “quoted”',
  'a\\# b \\',
];

describe.each([
  ['on the command line', (name: string, value: string) => [[`${name}=${value}`], {}] as const],
  ['in the environment', (name: string, value: string) => [[], { [name]: value }] as const],
])('a value %s', (_where, given) => {
  it.each(HOSTILE)('reaches make query whole: %j', async (value) => {
    const [words, variables] = given('Q', value);
    const called = await make(['query', ...words], variables);
    expect(called).toMatchObject({ words: ['stack', 'query', value], Q: value });
  });

  it.each(HOSTILE)('reaches make backup and the variables of make rolling whole: %j', async (value) => {
    const [file, inFile] = given('FILE', value);
    expect((await make(['backup', ...file], inFile)).words).toEqual(['backup', 'backup', value]);
    const [duration, inDuration] = given('DURATION', value);
    expect(await make(['rolling', ...duration], inDuration)).toMatchObject({
      words: ['rolling'],
      DURATION: value,
    });
    const [shards, inShards] = given('SHARDS', value);
    expect(await make(['k8s-load', ...shards], inShards)).toMatchObject({ SHARDS: value });
  });

  it.each([
    ['--rate 200 --duration 1m', ['--rate', '200', '--duration', '1m']],
    ['--threshold "p99<50ms" \'a  b\' "it\'s"', ['--threshold', 'p99<50ms', 'a  b', "it's"]],
    ['--threshold="p99 < 50ms" ""', ['--threshold=p99 < 50ms', '']],
    ['$(touch pwned) `touch pwned` $HOME', ['$(touch', 'pwned)', '`touch', 'pwned`', '$HOME']],
    ['* ? [a-z] ~ ; & > pwned', ['*', '?', '[a-z]', '~', ';', '&', '>', 'pwned']],
    ['$(shell touch pwned) != #', ['$(shell', 'touch', 'pwned)', '!=', '#']],
    [' two\n\tlines\n', ['two', 'lines']],
    ['-j out\\ put.json %s', ['-j', 'out\\', 'put.json', '%s']],
    ['', []],
  ])('is split into words for the script: %j', async (value, words) => {
    const [args, inArgs] = given('ARGS', value);
    expect((await make(['load', ...args], inArgs)).words).toEqual(['stack', 'load', 'lab', ...words]);
    expect((await make(['rolling', ...args], inArgs)).words).toEqual(['rolling', ...words]);
    expect((await make(['test-faults', ...args], inArgs)).words).toEqual(['test', 'faults', ...words]);
    expect((await make(['k8s-load', ...args], inArgs)).words).toEqual([
      'kubernetes',
      'load',
      'lab',
      ...words,
    ]);
    expect((await make(['k8s-down', ...args], inArgs)).words).toEqual(['kubernetes', 'down', ...words]);
  });

  it.each([
    ['steady', ['steady']],
    ['hundred not-found', ['hundred', 'not-found']],
    ['./my.yaml', ['./my.yaml']],
    ['$(touch pwned)', ['$(touch', 'pwned)']],
  ])('names patterns: %j', async (value, words) => {
    const [pattern, inPattern] = given('PATTERN', value);
    expect((await make(['load', ...pattern, 'ARGS=--rate 2'], inPattern)).words).toEqual([
      ...['stack', 'load', ...words, '--rate', '2'],
    ]);
  });

  it('is one word where it names a file, whatever that is called', async () => {
    const files = await mkdtemp(join(tmpdir(), 'make "it\'s" $x `y` '));
    const file = join(files, 'my pattern.yaml');
    await writeFile(file, '');
    const [pattern, inPattern] = given('PATTERN', file);
    expect((await make(['load', ...pattern], inPattern)).words).toEqual(['stack', 'load', file]);
    await rm(files, { recursive: true });
  });

  it('only says that a benchmark is quick', async () => {
    const [quick, inQuick] = given('QUICK', '$(shell touch pwned)');
    expect((await make(['bench', ...quick], inQuick)).words).toEqual(['bench', 'quick']);
    expect((await make(['bench'])).words).toEqual(['bench']);
  });
});

it('words with a quote that has no end are refused', async () => {
  await expect(make(['load', 'ARGS=--threshold "p99<50ms'])).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining(
      'error: expected words with an end to each quote, got: lab --threshold "p99<50ms\n',
    ),
  });
});
