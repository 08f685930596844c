/** The completion scripts, in real shells; zsh and fish where they are installed. */
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { loadgen, useFolder } from './loadgen.ts';

const at = useFolder();
const has = (shell: string) => spawnSync(shell, ['--version']).error === undefined;

beforeEach(async () => {
  await mkdir(at('bin'));
  await writeFile(at('bin/exact-load'), '#!/bin/sh\n', { mode: 0o755 });
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, out } = await loadgen(['completion', shell]);
    expect(code).toBe(0);
    await writeFile(at(shell), out);
  }
});

function evaluate(shell: string, args: readonly string[]): string {
  const env = { ...process.env, PATH: `${at('bin')}:${process.env.PATH}`, HOME: at('') };
  const { stdout, stderr } = spawnSync(shell, args, { encoding: 'utf8', cwd: at(''), env });
  expect(stderr).toBe('');
  return stdout;
}

const SHARED: [string, readonly string[], readonly string[]][] = [
  ['co', ['combine', 'completion'], ['verify']],
  ['completion ', ['bash', 'zsh', 'fish'], []],
  ['run st', ['steady'], ['lab']],
  ['run --con', ['--connections'], ['--cert']],
  ['run --tar', ['--target'], []],
  ['http://127.0.0.1:3000/ --ins', ['--insecure'], []],
  ['http://127.0.0.1:3000/ --tar', [], ['--target']],
  ['query --pro', ['--prometheus', '--prometheus-ca-file', '--prometheus-token-file'], []],
];

describe('completion bash', () => {
  const complete = (line: string) =>
    evaluate('bash', [
      '--norc',
      '-c',
      `source "$1"
       complete -p exact-load >/dev/null || exit 1
       IFS=' ' read -ra COMP_WORDS <<< "$2"
       [[ $2 != *' ' ]] || COMP_WORDS+=('')
       COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
       _exact_load
       ((\${#COMPREPLY[@]} == 0)) || printf '%s\\n' "\${COMPREPLY[@]}"`,
      'bash',
      at('bash'),
      `exact-load ${line}`,
    ])
      .split('\n')
      .filter(Boolean);

  it.each(SHARED)('%s', (line, words) => {
    expect(complete(line).sort()).toEqual([...words].sort());
  });

  it('leaves the value of a flag, and what follows @, to the names of files', () => {
    expect(['run --json ', 'http://x -b ', 'http://x -b @ bo'].map(complete)).toEqual([[], [], []]);
  });
});

(has('fish') ? describe : describe.skip)('completion fish', () => {
  it.each(SHARED)('%s', (line, words, others) => {
    const command = `source ${at('fish')}; complete -C 'exact-load ${line}'`;
    const found = evaluate('fish', ['-c', command]).split('\n');
    const names = found.map((one) => one.split('\t')[0]);
    expect(names).toEqual(expect.arrayContaining([...words]));
    for (const other of others) expect(names).not.toContain(other);
  });
});

(has('zsh') ? describe : describe.skip)('completion zsh', () => {
  // A shell of its own, with a terminal, in which Tab is pressed.
  const PRESS = `
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1=; autoload -Uz compinit; compinit -u -D; source $1; zstyle ':completion:*' verbose no; unsetopt zle_bracketed_paste; setopt no_list_beep; print rea''dy"
zpty -r -m z out '*ready*ready*' || zpty -r -m z out '*ready*'
zpty -w -n z "exact-load $2"$'\\t\\t'
sleep 1
zpty -r -t z out; while zpty -r -t z more; do out+=$more; done
print -r -- "$out"
zpty -d z`;
  it.each(SHARED)('%s', (line, words, others) => {
    const out = evaluate('zsh', ['-f', '-c', PRESS, 'zsh', at('zsh'), line]);
    for (const word of words) expect(out).toContain(word);
    for (const other of others) expect(out).not.toContain(other);
  });
});
