/** The command line: flags to options, options to work, work to text and exit codes. It touches neither process nor global state. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { EXIT, UsageError } from './errors.ts';
import type { Io } from './io.ts';
import { patternSchema } from './pattern.ts';
import { readPatternFile } from './pattern-file.ts';
import { DEFAULT_PATTERN, GROUPS, PATTERNS } from './patterns.ts';
import { reportSchema } from './report.ts';
import { type RunFlags, runCommand } from './run-command.ts';
import { THRESHOLD_FORM, THRESHOLD_PATTERN } from './thresholds.ts';
import { parseDurationMs } from './units.ts';
import { type VerifyFlags, verifyCommand } from './verify-command.ts';

/** @returns the exit code. @throws the errors of `errors.ts`, which carry theirs */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = createProgram(io, (code) => {
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

function createProgram(io: Io, setExitCode: (code: number) => void): Command {
  const program = new Command('loadgen')
    .description('Sends load and proves, through Prometheus, that every request was counted exactly once.')
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) })
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText('after', EXIT_CODES_HELP);
  addRun(program, async (names, flags) => setExitCode(await runCommand(names, flags, io)));
  addVerify(program, async (files, flags) => setExitCode(await verifyCommand(files, flags, io)));
  program
    .command('list')
    .description('the built-in patterns')
    .action(() => void io.stdout.write(listPatterns()));
  program
    .command('validate')
    .description('checks pattern files and says every mistake in them, with its place')
    .argument('<file...>', 'YAML or JSON')
    .action(async (files: string[]) => void io.stdout.write(await validateFiles(files)));
  program
    .command('schema')
    .description('prints the JSON Schema of pattern files, or of the report that --json writes')
    .addArgument(program.createArgument('<what>').choices(Object.keys(SCHEMAS)))
    .action((what: keyof typeof SCHEMAS) => void io.stdout.write(formatSchema(what)));
  return program;
}

function addRun(program: Command, act: (names: string[], flags: RunFlags) => Promise<void>): void {
  const command = program.command('run');
  command
    .description('sends one pattern after the other')
    .addArgument(
      command
        .createArgument('[pattern...]', 'names (see `loadgen list`) or pattern files')
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
        .argParser(collectThreshold)
        .default([], 'those of the pattern'),
    )
    .option('-j, --json <file>', 'writes the report as JSON; "-" is standard output, without the summary')
    .option('-q, --quiet', 'no progress')
    .optionsGroup('Proof:')
    .option(
      '-p, --prometheus <url>',
      'compare what was sent with what this Prometheus holds, and mark the run in it',
    )
    .addOption(new Option('--verify', 'compare (the default with --prometheus)').default(undefined))
    .option('--no-verify', 'do not compare')
    .option('--no-annotate', 'leave no mark for the dashboards')
    .option('--ledger <folder>', 'keep the report there for `loadgen verify`; needs --prometheus')
    .option(
      '--only-on-fresh-api',
      'send nothing when the API has handled requests before; needs --prometheus',
    );
  addShared(command).addHelpText('after', RUN_HELP).action(act);
}

function addVerify(program: Command, act: (files: string[], flags: VerifyFlags) => Promise<void>): void {
  const command = program.command('verify');
  command
    .description('sends nothing: compares everything sent since the API started with what Prometheus holds')
    .argument('[report...]', 'reports of runs, instead of a folder')
    .requiredOption('-p, --prometheus <url>', 'the Prometheus to ask')
    .option('--ledger <folder>', 'the folder into which `loadgen run --ledger` wrote')
    .option('--rebase', 'begin a new ledger now: what was counted so far is taken as given; needs --ledger')
    .option('-j, --json <file>', 'writes the proof as JSON; "-" is standard output, without the table')
    .option('-q, --quiet', 'no progress');
  addShared(command).addHelpText('after', VERIFY_HELP).action(act);
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

function parseRate(text: string): number | 'max' {
  const rate = Number(text);
  if (text === 'max') return text;
  if (!(rate > 0 && rate <= 1_000_000)) throw new InvalidArgumentError('Expected a number above 0, or max.');
  return rate;
}

function parseDuration(text: string): number {
  const durationMs = parseDurationMs(text);
  if (durationMs === undefined)
    throw new InvalidArgumentError('Expected a duration such as 250ms, 30s, 5m, 1h.');
  return durationMs;
}

function parseWhole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1 || !/^\d+$/.test(text))
    throw new InvalidArgumentError('Expected a whole number from 1.');
  return value;
}

function collectThreshold(text: string, before: string[]): string[] {
  if (!THRESHOLD_PATTERN.test(text)) throw new InvalidArgumentError(`Expected ${THRESHOLD_FORM}.`);
  return [...before, text];
}

function listPatterns(): string {
  const groups = Object.entries(GROUPS).map(([name, members]) => [name, `${members.join(', then ')}`]);
  const rows = [...groups, ...Object.entries(PATTERNS).map(([name, { description }]) => [name, description])];
  const mark = (name: string | undefined) => (name === DEFAULT_PATTERN ? ' (default)' : '');
  return rows.map(([name, text]) => `${name?.padEnd(12)}${text}${mark(name)}\n`).join('');
}

async function validateFiles(files: readonly string[]): Promise<string> {
  const checked = await Promise.allSettled(files.map((file) => readPatternFile(file)));
  const mistakes = checked.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  const unforeseen = mistakes.find((reason) => !(reason instanceof UsageError));
  if (unforeseen !== undefined) throw unforeseen;
  if (mistakes.length > 0)
    throw new UsageError(mistakes.map((reason: UsageError) => reason.message).join('\n'));
  return files.map((file) => `${file}: ok\n`).join('');
}

const SCHEMAS = {
  pattern: () => z.toJSONSchema(patternSchema, { io: 'input' }),
  report: () => z.toJSONSchema(reportSchema),
};

function formatSchema(what: keyof typeof SCHEMAS): string {
  return `${JSON.stringify(SCHEMAS[what](), undefined, 2)}\n`;
}

const EXIT_CODES_HELP = `
Exit codes:
  0    all well
  1    a check or threshold failed
  2    wrong usage, or a mistake in a pattern file
  3    the target or Prometheus could not be reached
  130  interrupted (Ctrl-C): sending stops, what is in flight is waited for`;

const RUN_HELP = `
Examples:
  $ loadgen run                                   the lab's requests to http://localhost:5001
  $ loadgen run steady --rate 500 --duration 10s  a built-in pattern, faster and shorter
  $ loadgen run steady --rate max -c 32           the closed loop: what can the target do?
  $ loadgen run ./checkout.yaml --threshold "p99<100ms"
  $ loadgen run mixed -p http://localhost:9090    with the proof

Latency counts from the moment at which a request should have left, so a target
that stalls cannot hide it. What finds no free connection is counted as dropped.`;

const VERIFY_HELP = `
A request that did not come from the generator makes the proof fail and is named.
To go on from there, take what has been counted as given:
  $ loadgen verify --prometheus http://localhost:9090 --ledger <folder> --rebase`;
