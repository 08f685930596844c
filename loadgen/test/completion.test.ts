/** The completion scripts, in real shells; zsh and fish if they are installed. */
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { loadgen, useFolder } from './loadgen.ts';

const at = useFolder();
const isInstalled = (shell: string) => spawnSync(shell, ['--version']).error === undefined;

// Presses Tab in its own terminal, and writes the completions to a file.
const ZSH_SETUP = `
autoload -Uz compinit; compinit -u -D; source ./script
compadd() {
  [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]] && { builtin compadd "$@"; return; }
  local -a hits; builtin compadd -A hits "$@"; print -rl -- $hits >> offered
}
capture() { _main_complete; exit 0; }
zle -C capture complete-word capture; bindkey '^I' capture
print ready
`;

/** Prints the completions of a command line, its first argument, one per line. */
const COMPLETE: Readonly<Record<string, readonly string[]>> = {
  bash: [
    '--norc',
    '-c',
    `source ./script
complete -p exact-load >/dev/null || exit 1
IFS=' ' read -ra COMP_WORDS <<< "$1"
[[ $1 != *' ' ]] || COMP_WORDS+=('')
COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
_exact_load
printf '%s\\n' "\${COMPREPLY[@]}"`,
    'bash',
  ],
  fish: ['-c', 'source ./script; complete -C "$argv[1]" | string split -f 1 \\t'],
  zsh: [
    '-f',
    '-c',
    `zmodload zsh/zpty; zpty z zsh -f -i
zpty -w z 'source ./setup'; zpty -r -m z out '*ready*'
zpty -w -n z "$1"$'\\t'
while zpty -r z out; do :; done
touch offered; cat offered`,
    'zsh',
  ],
};

describe.each(Object.entries(COMPLETE))('completion %s', (shell, args) => {
  beforeEach(async () => {
    await writeFile(at('setup'), ZSH_SETUP);
    const { code, out } = await loadgen(['completion', shell]);
    expect(code).toBe(0);
    await writeFile(at('script'), out);
  });

  (isInstalled(shell) ? it : it.skip).each([
    ['co', ['combine', 'completion']],
    ['completion z', ['zsh']],
    ['run st', ['steady']],
    ['run --con', ['--connections']],
    ['run --tar', ['--target']],
    ['http://127.0.0.1:3000/ --ins', ['--insecure']],
    ['http://127.0.0.1:3000/ --tar', []],
    ['query --pro', ['--prometheus', '--prometheus-ca-file', '--prometheus-token-file']],
    // Empty, so that bash completes file names.
    ['run --json se', shell === 'bash' ? [] : ['setup']],
    ['http://x -b @bo', []],
  ])('%s', (line, words) => {
    const env = { ...process.env, HOME: at('') };
    const options = { encoding: 'utf8', cwd: at(''), env } as const;
    const { stdout, stderr } = spawnSync(shell, [...args, `exact-load ${line}`], options);
    expect([stdout.split('\n').filter(Boolean).sort(), stderr]).toEqual([words, '']);
  });
});
