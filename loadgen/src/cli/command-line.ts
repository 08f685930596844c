/** The command line: flags to options, options to work, work to text and exit codes. It touches neither process nor global state. */
import { Command, CommanderError, Option } from 'commander';
import { EXIT } from '../common/errors.ts';
import { hideCredentials } from '../common/secrets.ts';
import { toJson } from '../report/report.ts';
import { DEFAULT_PATTERN, listPatterns, SCHEMAS, validateFiles } from '../run/patterns.ts';
import {
  parseDuration,
  parseMoment,
  parseRate,
  parseShard,
  parseThresholdFlag,
  parseWhole,
  parseWorkers,
} from '../run/values.ts';
import { work } from '../run/worker.ts';
import type { Io } from './io.ts';
import { type QueryFlags, queryCommand, type VerifyFlags, verifyCommand } from './prometheus-commands.ts';
import { type CombineFlags, combineCommand, type ReportFlags, reportCommand } from './report-commands.ts';
import { type RunFlags, runCommand } from './run-command.ts';

const EXIT_CODES_HELP = `
Exit codes:
  0    success
  1    a check or threshold failed, a worker was lost, a start was missed, or
       an output could not be written at the end (what was sent is shown)
  2    wrong usage, a mistake in a pattern file, or a file that cannot be read
       or written, reported before anything is sent
  3    the target or Prometheus could not be reached, or refuses the credentials
  130  interrupted (Ctrl-C): sending stops, what is in flight is waited for`;

const RUN_HELP = `
Examples:
  $ exact-load run                                   the lab's requests to http://localhost:5001
  $ exact-load run steady --rate 500 --duration 10s  a built-in pattern, faster and shorter
  $ exact-load run steady --rate max -c 32           the closed loop: what can the target do?
  $ exact-load run ./checkout.yaml --threshold "p99<100ms"
  $ exact-load run mixed -p http://localhost:9090    with the verification
  $ exact-load run steady --rate 30000 --workers 4   from four processes

Latency counts from the moment at which a request should have left, so a target
that stalls cannot hide it. What finds no free connection is counted as dropped.`;

/** @returns the exit code. @throws the errors of `errors.ts`, which carry theirs */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = createProgram(args, io, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has printed its message already; --help and --version come this way too, with 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    throw error;
  }
}

function createProgram(args: readonly string[], io: Io, setExitCode: (code: number) => void): Command {
  const program = new Command('exact-load')
    .description('Sends load and verifies, through Prometheus, that every request was counted exactly once.')
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(hideCredentials(text)),
    })
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText('after', EXIT_CODES_HELP);
  addRun(program, async (names, flags) => setExitCode(await runCommand(names, flags, args, io)));
  addVerify(program, async (files, flags) => setExitCode(await verifyCommand(files, flags, io)));
  addCombine(program, async (files, flags) => setExitCode(await combineCommand(files, flags, io)));
  addQuery(program, async (expression, flags) => setExitCode(await queryCommand(expression, flags, io)));
  addReport(program, async (files, flags) => setExitCode(await reportCommand(files, flags, io)));
  program
    .command('list')
    .description('the built-in patterns')
    .action(() => void io.stdout.write(listPatterns()));
  program
    .command('validate')
    .description('checks pattern files and reports every mistake in them, with its place')
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
  program.command('worker', { hidden: true }).action(async () => {
    if (io.channel === undefined) program.error('worker: only another exact-load starts one');
    else await work(io.channel, io.signal);
  });
  return program;
}

function addRun(program: Command, act: (names: string[], flags: RunFlags) => Promise<void>): void {
  const command = program.command('run');
  command
    .description('sends one pattern after the other')
    .addArgument(
      command
        .createArgument('[pattern...]', 'names (see `exact-load list`) or pattern files')
        .default([DEFAULT_PATTERN], DEFAULT_PATTERN),
    )
    .option('-t, --target <url>', 'where the load goes', 'http://localhost:5001')
    .option(
      '-r, --rate <per second>',
      'highest rate, or "max" for as fast as the connections allow',
      parseRate,
    )
    .option('-d, --duration <time>', 'length of a rate pattern, such as 30s', parseDuration)
    .option('-c, --connections <n>', 'most requests in flight at a time', parseWhole)
    .option('--timeout <time>', 'for one request, connecting included (default: 10s)', parseDuration)
    .option('--seed <n>', 'another seed, another order', parseWhole, 1)
    .addOption(
      new Option('--threshold <condition>', 'such as "p99<250ms", "errors<1%", "dropped=0"; may be repeated')
        .argParser((text, before: RunFlags['threshold']) => [...before, parseThresholdFlag(text)])
        .default([], 'those of the pattern'),
    )
    .option('-j, --json <file>', 'writes the report as JSON; "-" is standard output, without the summary')
    .option('--html <file>', 'writes the report as a page with charts; "-" as for --json')
    .option('-q, --quiet', 'no progress')
    .optionsGroup('Several processes, several machines:')
    .addOption(
      new Option('--workers <n>', 'processes that send together, for more than one core')
        .argParser(parseWorkers)
        .default(1),
    )
    .option(
      '--shard <i/n>',
      'send only every n-th request, from the i-th; see `exact-load combine`',
      parseShard,
    )
    .option('--start-at <time>', 'begin at that moment, so that shards begin together', parseMoment)
    .optionsGroup('Verification:')
    .option('-p, --prometheus <url>', 'compare what was sent with what this Prometheus holds')
    .addOption(new Option('--verify', 'compare (the default with --prometheus)').default(undefined))
    .option('--no-verify', 'do not compare')
    .option('--ledger <folder>', 'keep the report there for `exact-load verify`; needs --prometheus')
    .option(
      '--only-on-fresh-api',
      'send nothing when the API has handled requests before; needs --prometheus',
    );
  addAccess(addShared(command)).addHelpText('after', RUN_HELP).action(act);
}

function addVerify(program: Command, act: (files: string[], flags: VerifyFlags) => Promise<void>): void {
  const command = program.command('verify');
  command
    .description('sends nothing: compares everything sent since the API started with what Prometheus holds')
    .argument('[report...]', 'reports of runs, instead of a folder')
    .requiredOption('-p, --prometheus <url>', 'the Prometheus to ask')
    .option('--ledger <folder>', 'the folder into which `exact-load run --ledger` wrote')
    .option('--rebase', 'begin a new ledger now: what was counted so far is taken as given; needs --ledger')
    .option('-j, --json <file>', 'writes the verification as JSON; "-" is standard output, without the table')
    .option('-q, --quiet', 'no progress');
  addAccess(addShared(command)).action(act);
}

function addCombine(program: Command, act: (files: string[], flags: CombineFlags) => Promise<void>): void {
  const command = program.command('combine');
  command
    .description('adds up the reports of shards, names those that are missing, and verifies the sum')
    .argument('<report...>', 'what `exact-load run --shard --json` wrote, one of each shard')
    .option('-p, --prometheus <url>', 'compare what all sent with what this Prometheus holds')
    .option('-j, --json <file>', 'writes the report as JSON; "-" is standard output, without the summary')
    .option('--html <file>', 'writes the report as a page with charts; "-" as for --json')
    .option('-q, --quiet', 'no progress');
  addAccess(addShared(command)).action(act);
}

function addReport(program: Command, act: (files: string[], flags: ReportFlags) => Promise<void>): void {
  program
    .command('report')
    .description('makes a page with charts of a report that --json or --ledger has left, or compares two')
    .argument('<report...>', 'one report, or two')
    .option(
      '--html <file>',
      'where the page goes; "-" is standard output (default: next to the first report)',
    )
    .action(act);
}

function addQuery(program: Command, act: (expression: string, flags: QueryFlags) => Promise<void>): void {
  const command = program.command('query');
  command
    .description('asks Prometheus, and prints the answer as a table')
    .argument('<promql>', "such as 'sum(http_requests_total)'")
    .option('-p, --prometheus <url>', 'the Prometheus to ask', 'http://localhost:9090');
  addAccess(command).action(act);
}

function addShared(command: Command): Command {
  return command
    .option('--job <name>', 'the job of the API in Prometheus', 'api')
    .addOption(
      new Option('--wait <time>', 'how long to wait for the target, for Prometheus and for a scrape')
        .argParser(parseDuration)
        .default(30_000, '30s'),
    );
}

function addAccess(command: Command): Command {
  return command
    .option('--prometheus-token-file <file>', 'a bearer token for Prometheus (or PROMETHEUS_TOKEN=<token>)')
    .option('--prometheus-ca-file <file>', "certificate authorities for Prometheus, instead of the system's");
}
