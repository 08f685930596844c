/** `make` passes values to the scripts exactly as typed; nothing is expanded or executed. */
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { repositoryRoot } from '../support/repository.ts';
import { useSandbox } from './sandbox.ts';

const box = useSandbox();

/** The Makefile with scripts that print their words and variables. An executed value leaves a file in the same folder. */
beforeEach(async () => {
  await mkdir(box.path('scripts'));
  for (const file of ['Makefile', 'scripts/words.sh'])
    await copyFile(`${repositoryRoot}/${file}`, box.path(file));
  for (const name of ['stack', 'rolling', 'backup', 'images', 'kubernetes', 'test'])
    await box.program(
      `scripts/${name}.sh`,
      `printf '%s\\0' "$Q" "$DURATION" "$SHARDS" "$(basename "$0" .sh)" "$@"`,
    );
});

async function make(words: string[], variables: Record<string, string> = {}) {
  const { code, out, err } = await box.run('make', words, variables, box.folder);
  expect({ code, err, files: await readdir(box.folder) }).toEqual({
    code: 0,
    err: '',
    files: ['Makefile', 'scripts'],
  });
  const [Q, DURATION, SHARDS, ...called] = out.split('\0').slice(0, -1);
  return { Q, DURATION, SHARDS, called };
}

/** PromQL that make or a shell would split, and values that would leave a file if executed. */
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
  const call = (target: string, name: string, value: string) => {
    const [words, variables] = given(name, value);
    return make([target, ...words], variables);
  };

  it.each(HOSTILE)('reaches the script unchanged: %j', async (value) => {
    expect(await call('query', 'Q', value)).toMatchObject({ Q: value, called: ['stack', 'query', value] });
  });

  it('reaches every other script unchanged', async () => {
    const value = HOSTILE.join('\n');
    expect((await call('backup', 'FILE', value)).called).toEqual(['backup', 'backup', value]);
    expect((await call('restore', 'FILE', value)).called).toEqual(['backup', 'restore', value]);
    expect((await call('load-images', 'FILE', value)).called).toEqual(['images', 'load', value]);
    expect(await call('rolling', 'DURATION', value)).toMatchObject({ DURATION: value, called: ['rolling'] });
    expect(await call('k8s-load', 'SHARDS', value)).toMatchObject({ SHARDS: value });
  });

  it.each([
    ['--rate 200 --duration 1m', ['--rate', '200', '--duration', '1m']],
    ['--threshold "p99<50ms" \'a  b\' "it\'s"', ['--threshold', 'p99<50ms', 'a  b', "it's"]],
    ['--threshold="p99 < 50ms"', ['--threshold=p99 < 50ms']],
    ['$(touch pwned) `touch pwned` $HOME', ['$(touch', 'pwned)', '`touch', 'pwned`', '$HOME']],
    ['* ? [a-z] ~ ; & > pwned', ['*', '?', '[a-z]', '~', ';', '&', '>', 'pwned']],
    ['$(shell touch pwned) != #', ['$(shell', 'touch', 'pwned)', '!=', '#']],
    [' two\n\tlines\n', ['two', 'lines']],
    ["-j out\\ put.json '%s\\n'", ['-j', 'out put.json', '%s\\n']],
    ['', []],
  ])('is split into words: %j', async (value, words) => {
    expect((await call('load', 'ARGS', value)).called).toEqual(['stack', 'load', 'lab', ...words]);
  });

  it.each([
    ['rolling', 'rolling'],
    ['test-faults', 'test', 'faults'],
    ['k8s-load', 'kubernetes', 'load', 'lab'],
    ['k8s-down', 'kubernetes', 'down'],
  ])('is split in the same way for %s', async (target, ...called) => {
    const words = ['$(touch', 'pwned)', 'a  b', '*'];
    expect((await call(target, 'ARGS', "$(touch pwned) 'a  b' *")).called).toEqual([...called, ...words]);
  });

  it.each([
    ['hundred not-found', ['hundred', 'not-found']],
    ['./my.yaml', ['./my.yaml']],
    ['$(touch pwned)', ['$(touch', 'pwned)']],
  ])('names patterns: %j', async (value, words) => {
    expect((await call('load', 'PATTERN', value)).called).toEqual(['stack', 'load', ...words]);
  });

  it('is one word if it names a file, whatever its name', async () => {
    const file = box.path('scripts/my "it\'s" $x `y` pattern.yaml');
    await writeFile(file, '');
    expect((await call('load', 'PATTERN', file)).called).toEqual(['stack', 'load', file]);
  });

  it('only makes a benchmark quick', async () => {
    expect((await call('bench', 'QUICK', '$(shell touch pwned)')).called).toEqual(['test', 'bench', 'quick']);
    expect((await make(['bench'])).called).toEqual(['test', 'bench']);
  });
});

it('words with an unclosed quote are refused', async () => {
  const { code, err } = await box.run('make', ['load', 'ARGS=--threshold "p99<50ms'], {}, box.folder);
  expect({ code, err }).toEqual({
    code: 2,
    err: expect.stringContaining(
      'error: expected words with closed quotes, got: lab --threshold "p99<50ms\n',
    ),
  });
});
