/** The command line: parses flags, runs commands, and returns exit codes. Touches neither the process nor global state. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { EXIT, UsageError } from '../common/errors.ts';
import { hideCredentials } from '../common/secrets.ts';
import { toJson } from '../report/report.ts';
import { listPatterns, SCHEMAS, validateFiles } from '../run/patterns.ts';
import { parseMoment } from '../run/values.ts';
import { work } from '../run/worker.ts';
import { completionScript, SHELLS, type Shell } from './completion.ts';
import type { Io } from './io.ts';
import { type QueryFlags, queryCommand, type VerifyFlags, verifyCommand } from './prometheus-commands.ts';
import { addAccess, addMetrics, addShared } from './prometheus-flags.ts';
import { type CombineFlags, combineCommand, type ReportFlags, reportCommand } from './report-commands.ts';
import { runCommand, urlCommand } from './run-command.ts';
import { addRun, addUrl } from './send-flags.ts';

/** The README of the package summarizes this. */
const EXIT_CODES_HELP = `
Exit codes:
  0    success
  1    a threshold was not met, a request was not counted exactly once, shards
       are not of one run, a worker was lost, a start was missed, or an output
       could not be written at the end (the summary is still printed)
  2    wrong usage, a mistake in a pattern file, or a file that cannot be read
       or written; nothing was sent
  3    the target or Prometheus is unreachable or refuses the credentials, or no
       request was answered
  130  interrupted (Ctrl-C): sending stops, requests in flight are awaited, and
       the summary covers what was sent; a second Ctrl-C stops immediately`;

/** @returns the exit code @throws the errors of `errors.ts`, each with an exit code */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = createProgram(args, io, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has already printed its message. --help and --version also end here, with 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    throw error;
  }
}

function createProgram(args: readonly string[], io: Io, setExitCode: (code: number) => void): Command {
  const program: Command = new Command('exact-load')
    .description('Sends load and verifies through Prometheus that every request was counted exactly once.')
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(hideCredentials(text)),
      outputError: (text, write) => write(text.replace(/^error: /, 'exact-load: ')),
    })
    .version(readVersion())
    // The flags of the URL form may be before or after the URL; the flags of a command must be after its name.
    .enablePositionalOptions()
    .hook('preSubcommand', (_, command) => refuseMisplaced(program, command.name()))
    .exitOverride()
    .showSuggestionAfterError()
    .optionsGroup('Load:')
    .helpCommand(true);
  addUrl(program, async (url, flags) => setExitCode(await urlCommand(url, flags, args, io)));
  program.addHelpText('after', EXIT_CODES_HELP);
  addRun(program, async (names, flags) => setExitCode(await runCommand(names, flags, args, io)));
  addVerify(program, async (files, flags) => setExitCode(await verifyCommand(files, flags, io)));
  addCombine(program, async (files, flags) => setExitCode(await combineCommand(files, flags, io)));
  addQuery(program, async (expression, flags) => setExitCode(await queryCommand(expression, flags, io)));
  addReport(program, async (files, flags) => setExitCode(await reportCommand(files, flags, io)));
  program
    .command('list')
    .description('lists the built-in patterns')
    .action(() => void io.stdout.write(listPatterns()));
  program
    .command('validate')
    .description('checks pattern files and reports every mistake with its line and column')
    .argument('<file...>', 'YAML or JSON')
    .action(async (files: string[]) => {
      await validateFiles(files);
      io.stdout.write(files.map((file) => `${file}: ok\n`).join(''));
    });
  program
    .command('schema')
    .description('prints the JSON Schema of pattern files, or of the report that --json writes')
    .addArgument(program.createArgument('<what>').choices(Object.keys(SCHEMAS)))
    .action((what: keyof typeof SCHEMAS) => void io.stdout.write(toJson(SCHEMAS[what]())));
  program
    .command('completion')
    .description('prints the completion script of a shell')
    .addArgument(program.createArgument('<shell>').choices(SHELLS))
    .action((shell: Shell) => void io.stdout.write(completionScript(program, shell)));
  reportTogether(program);
  program.command('worker', { hidden: true }).action(async () => {
    if (io.channel === undefined)
      program.error('worker: expected to be started by another exact-load process');
    else await work(io.channel, io.signal);
  });
  return program;
}

/** Collects the invalid values of all flags and reports them together; Commander would stop at the first. */
function reportTogether(program: Command): void {
  const problems: string[] = [];
  for (const option of [program, ...program.commands].flatMap(({ options }) => options)) {
    const { parseArg: parse, long } = option;
    if (parse === undefined) continue;
    option.argParser((text, before) => {
      try {
        return parse(text, before);
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        const got = error.message.includes(', got ') ? '' : `, got ${JSON.stringify(text)}`;
        problems.push(`${long}: ${error.message}${got}`);
        return before;
      }
    });
  }
  program.hook('preAction', () => {
    if (problems.length > 0) throw new UsageError(problems.join('\n'));
  });
}

function readVersion(): string {
  const manifest = new URL('../../package.json', import.meta.url);
  return JSON.parse(readFileSync(manifest, 'utf8')).version;
}

/** Rejects flags before the name of a command: they would belong to the URL form and have no effect. */
function refuseMisplaced(program: Command, command: string): void {
  const misplaced = program.options.filter(
    (option) => program.getOptionValueSource(option.attributeName()) === 'cli',
  );
  if (misplaced.length > 0)
    throw new UsageError(
      `expected flags after "${command}", got "${misplaced.map(({ long }) => long).join('", "')}" before it`,
    );
}

function addVerify(program: Command, act: (files: string[], flags: VerifyFlags) => Promise<void>): void {
  const command = program
    .command('verify')
    .description('compares all requests since the API started with the counters in Prometheus; sends none')
    .argument('[report...]', 'reports of runs, instead of --ledger')
    .requiredOption('-p, --prometheus <url>', 'the URL of Prometheus')
    .option('--ledger <folder>', 'the folder that `exact-load run --ledger` wrote to')
    .option('--sent <file>', 'the JSON result of k6, vegeta or autocannon: compares totals by status')
    .option('--from <time>', 'start of that run: required for k6, whose result has no times', parseMoment)
    .option('--to <time>', 'end of that run', parseMoment)
    .option('--rebase', 'start a new ledger with the current counts as its baseline; needs --ledger')
    .option('-j, --json <file>', 'write JSON; "-" is standard output, instead of the table')
    .option('-q, --quiet', 'no progress');
  addAccess(addMetrics(addShared(command))).action(act);
}

function addCombine(program: Command, act: (files: string[], flags: CombineFlags) => Promise<void>): void {
  const command = program
    .command('combine')
    .description('adds up the reports of shards, lists missing ones, and verifies the sum')
    .argument('<report...>', 'files from `exact-load run --shard --json`, one per shard')
    .option('-p, --prometheus <url>', 'compare the sum with the counters in this Prometheus')
    .option('-j, --json <file>', 'write the report as JSON; "-" is standard output, instead of the summary')
    .option('--html <file>', 'write the report as a page with charts; "-" as for --json')
    .option('-q, --quiet', 'no progress');
  addAccess(addShared(command)).action(act);
}

function addReport(program: Command, act: (files: string[], flags: ReportFlags) => Promise<void>): void {
  program
    .command('report')
    .description('renders a report of --json or --ledger as a page with charts, or compares two')
    .argument('<report...>', 'one report, or two')
    .option('--html <file>', 'the file to write; "-" is standard output (default: next to the first report)')
    .action(act);
}

function addQuery(program: Command, act: (expression: string, flags: QueryFlags) => Promise<void>): void {
  const command = program
    .command('query')
    .description('queries Prometheus and prints the result as a table')
    .argument('<promql>', "for example 'sum(http_requests_total)'")
    .option('-p, --prometheus <url>', 'the URL of Prometheus', 'http://localhost:9090');
  addAccess(command).action(act);
}
