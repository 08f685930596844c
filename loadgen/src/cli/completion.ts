/**
 * Completion scripts, made from the program that prints `--help`. Own code, as @bomb.sh/tab 0.0.22 completes no file names and starts
 * the program at each Tab.
 */
import type { Argument, Command, Option } from 'commander';
import { PATTERN_NAMES } from '../run/patterns.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
const flagsOf = ({ short, long }: Option) => [short, long].filter((flag) => flag !== undefined);
/** `time` of `--duration <time>`. */
const placeholderOf = ({ flags }: Option) => /<(.*)>/.exec(flags)?.[1] ?? '';
const optionsOf = (command: Command) => command.createHelp().visibleOptions(command);
const choicesOf = (command: Command) => command.registeredArguments.flatMap(wordsFor);

function wordsFor(argument: Argument): readonly string[] {
  return argument.argChoices ?? (argument.name() === 'pattern' ? PATTERN_NAMES : []);
}

export function completionScript(program: Command, shell: Shell): string {
  const commands = program.createHelp().visibleCommands(program);
  return { bash, zsh, fish }[shell](program, commands);
}

/** Where it has no word, the shell completes file names: after a flag with a value, and behind `-b @`. */
function bash(program: Command, commands: readonly Command[]): string {
  const valued = (command: Command) =>
    optionsOf(command)
      .filter(({ required }) => required)
      .flatMap(flagsOf);
  const branch = (command: Command, pattern: string, words: readonly string[]) =>
    `    ${pattern}) words=${quote(words.join(' '))}; valued=${quote(` ${valued(command).join(' ')} `)} ;;`;
  const names = commands.map((command) => command.name());
  return `_exact_load() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} first=\${COMP_WORDS[1]} words valued
  ((COMP_CWORD > 1)) || first=
  case $first in
${commands.map((one) => branch(one, one.name(), [...choicesOf(one), ...optionsOf(one).flatMap(flagsOf)])).join('\n')}
${branch(program, "''", [...names, ...optionsOf(program).flatMap(flagsOf)])}
${branch(program, '*', optionsOf(program).flatMap(flagsOf))}
  esac
  COMPREPLY=()
  [[ $valued == *" $prev "* ]] && return
  local hidden=(-X '-*')
  [[ $cur != -* ]] || hidden=()
  mapfile -t COMPREPLY < <(compgen -W "$words" "\${hidden[@]}" -- "$cur")
}
complete -o bashdefault -o default -F _exact_load exact-load
`;
}

function zsh(program: Command, commands: readonly Command[]): string {
  const plain = (text: string) => text.replace(/[\\:[\]]/g, '\\$&');
  const spec = (option: Option) =>
    flagsOf(option).map((flag) => {
      const repeats = option.description.endsWith('may be repeated') ? '*' : '';
      const value = option.required ? `:${plain(placeholderOf(option))}:_files` : '';
      return quote(`${repeats}${flag}[${plain(option.description)}]${value}`);
    });
  const call = (command: Command, rest: string) =>
    `_arguments -s ${[...optionsOf(command).flatMap(spec), quote(rest)].join(' ')}`;
  const branch = (command: Command) => {
    const words = choicesOf(command).join(' ');
    const rest = words === '' ? '*:file:_files' : `*:what:{_alternative "w:what:(${words})" "f:file:_files"}`;
    return `    ${command.name()}) shift words; ((CURRENT--)); ${call(command, rest)} ;;`;
  };
  const described = commands.map((one) => quote(`${plain(one.name())}:${plain(one.description())}`));
  return `#compdef exact-load
_exact_load() {
  local -a commands=(${described.join(' ')})
  case $words[2] in
${commands.map(branch).join('\n')}
    *) ${call(program, `1:command or URL:{_describe command commands}`)} ;;
  esac
}
compdef _exact_load exact-load
`;
}

function fish(program: Command, commands: readonly Command[]): string {
  const names = commands.map((command) => command.name()).join(' ');
  const line = (when: string, ...rest: string[]) =>
    `complete -c exact-load -n ${quote(when)} ${rest.join(' ')}\n`;
  const flags = (command: Command, when: string) =>
    optionsOf(command).map(({ short, long, description, required }) => {
      const forms = [short && `-s ${short.slice(1)}`, long && `-l ${long.slice(2)}`, required && '-r'];
      return line(when, ...forms.filter((form) => typeof form === 'string'), `-d ${quote(description)}`);
    });
  const perCommand = commands.flatMap((command) => {
    const when = `__fish_seen_subcommand_from ${command.name()}`;
    const choices = choicesOf(command).join(' ');
    const name = line('__fish_use_subcommand', `-a ${command.name()}`, `-d ${quote(command.description())}`);
    return [name, ...flags(command, when), ...(choices === '' ? [] : [line(when, `-a ${quote(choices)}`)])];
  });
  return [...perCommand, ...flags(program, `not __fish_seen_subcommand_from ${names}`)].join('');
}
