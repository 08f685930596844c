/**
 * Completion scripts, generated from the same definitions as `--help`. Written for this project, because @bomb.sh/tab 0.0.22 does
 * not complete file names and starts the program at each Tab.
 */
import type { Command, Option } from 'commander';
import { PATTERN_NAMES } from '../run/patterns.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export function completionScript(program: Command, shell: Shell): string {
  const commands = program.createHelp().visibleCommands(program);
  if (shell === 'fish') return fish(program, commands);
  const loadBashcompinit = shell === 'zsh' ? 'autoload -U +X bashcompinit && bashcompinit\n' : '';
  return loadBashcompinit + bash(program, commands);
}

const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
const optionsOf = (command: Command) => command.createHelp().visibleOptions(command);
const flagsOf = (options: readonly Option[]) =>
  options.flatMap(({ short, long }) => [short, long]).filter((flag) => flag !== undefined);
const choicesOf = (command: Command) =>
  command.registeredArguments.flatMap((argument) =>
    argument.name() === 'pattern' ? PATTERN_NAMES : (argument.argChoices ?? []),
  );

/** If the function returns no words, the shell completes file names: after a flag with a value, and after `-b @`. */
function bash(program: Command, commands: readonly Command[]): string {
  const branch = (pattern: string, command: Command, words: readonly string[]) => {
    const options = optionsOf(command);
    const valued = flagsOf(options.filter(({ required }) => required));
    return `    ${pattern}) words=${quote(words.join(' '))} flags=${quote(flagsOf(options).join(' '))} valued=${quote(` ${valued.join(' ')} `)} ;;`;
  };
  const names = commands.map((command) => command.name());
  return `_exact_load() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} first= words flags valued
  ((COMP_CWORD < 2)) || first=\${COMP_WORDS[1]}
  case $first in
${commands.map((command) => branch(command.name(), command, choicesOf(command))).join('\n')}
${branch("''", program, names)}
${branch('*', program, [])}
  esac
  [[ $cur != -* ]] || words=$flags
  [[ $valued != *" $prev "* ]] || words=
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o bashdefault -o default -F _exact_load exact-load
`;
}

function fish(program: Command, commands: readonly Command[]): string {
  const line = (when: string, words: string, description = '') =>
    `complete -c exact-load -n ${quote(when)} ${words} -d ${quote(description)}\n`;
  const flags = (command: Command, when: string) =>
    optionsOf(command).map(({ short, long, description, required }) => {
      const forms = `${short ? `-s ${short.slice(1)} ` : ''}-l ${long?.slice(2)}`;
      return line(when, required ? `${forms} -r` : forms, description);
    });
  const names = commands.map((command) => command.name()).join(' ');
  return [
    ...commands.flatMap((command) => {
      const when = `__fish_seen_subcommand_from ${command.name()}`;
      const choices = line(when, `-a ${quote(choicesOf(command).join(' '))}`);
      const name = line('__fish_use_subcommand', `-a ${command.name()}`, command.description());
      return [name, choices, ...flags(command, when)];
    }),
    ...flags(program, `not __fish_seen_subcommand_from ${names}`),
  ].join('');
}
