/** `loadgen run`: flags and pattern names to a run, its outcome to text and an exit code. */
import { parse as parsePath } from 'node:path';
import { pushMark } from './annotate.ts';
import { EXIT, UsageError } from './errors.ts';
import { parseOrigin } from './http/origin.ts';
import type { Io } from './io.ts';
import { saveEntry, writeWhole } from './ledger-folder.ts';
import { type Pattern, patternSchema } from './pattern.ts';
import { readPatternFile } from './pattern-file.ts';
import { GROUPS, PATTERNS } from './patterns.ts';
import { type Overrides, type Phase, planPhase } from './plan.ts';
import { Prometheus } from './prometheus.ts';
import { createPaint } from './reporters/paint.ts';
import {
  createLineReporter,
  createLiveReporter,
  createSilentReporter,
  type ProgressReporter,
} from './reporters/progress.ts';
import { formatProof } from './reporters/proof-table.ts';
import { formatEnd, formatPhase } from './reporters/summary-text.ts';
import { type RunObserver, type RunOutcome, run } from './run.ts';
import { formatCount } from './units.ts';

export interface RunFlags {
  readonly target: string;
  readonly rate?: number | 'max';
  readonly duration?: number;
  readonly connections?: number;
  readonly timeout?: number;
  readonly seed: number;
  readonly threshold: readonly string[];
  readonly json?: string;
  readonly quiet?: true;
  readonly prometheus?: string;
  readonly verify?: boolean;
  readonly annotate: boolean;
  readonly ledger?: string;
  readonly onlyOnFreshApi?: true;
  readonly job: string;
  readonly wait: number;
}

export async function runCommand(names: readonly string[], flags: RunFlags, io: Io): Promise<number> {
  if (flags.prometheus === undefined) {
    const needing = [
      flags.verify === true && '--verify',
      flags.ledger !== undefined && '--ledger',
      flags.onlyOnFreshApi && '--only-on-fresh-api',
    ].filter((flag) => typeof flag === 'string');
    if (needing.length > 0) throw new UsageError(`${needing.join(', ')}: needs --prometheus <url>`);
  }
  const prometheus =
    flags.prometheus === undefined ? undefined : new Prometheus(flags.prometheus, flags.wait);
  const outcome = await run({
    origin: parseOrigin(flags.target),
    phases: await planPhases(names, toOverrides(flags)),
    seed: flags.seed,
    waitMs: flags.wait,
    prometheus,
    job: flags.job,
    verify: flags.verify ?? prometheus !== undefined,
    onlyOnFreshApi: flags.onlyOnFreshApi ?? false,
    signal: io.signal,
    observer: createObserver(flags, prometheus, io),
  });
  if ('alreadyHandled' in outcome) {
    io.stdout.write(
      `the API has already handled ${formatCount(outcome.alreadyHandled, 'request')}: nothing sent\n`,
    );
    return EXIT.ok;
  }
  if (flags.json !== '-') io.stdout.write(formatOutcome(outcome, io));
  else io.stdout.write(`${JSON.stringify(outcome.report, undefined, 2)}\n`);
  if (outcome.unreachable !== undefined)
    io.stderr.write(`loadgen: no proof: ${outcome.unreachable.message}\n`);
  return exitCodeOf(outcome);
}

/** Names and files to phases. Everything that is wrong with any of them is said at once. */
async function planPhases(names: readonly string[], overrides: Overrides): Promise<Phase[]> {
  const single = names.flatMap((name) => own(GROUPS, name) ?? [name]);
  const planned = await Promise.allSettled(
    single.map(async (name) => planPhase(parsePath(name).name, await findPattern(name), overrides)),
  );
  const mistakes = planned.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  if (mistakes.length === 1) throw mistakes[0];
  if (mistakes.length > 1)
    throw new UsageError(mistakes.map((reason) => (reason as Error).message).join('\n'));
  return planned.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}

async function findPattern(name: string): Promise<Pattern> {
  const input = own(PATTERNS, name);
  if (input !== undefined) return patternSchema.parse(input);
  if (/[/\\]|\.(ya?ml|json)$/.test(name)) return readPatternFile(name);
  const known = [...Object.keys(GROUPS), ...Object.keys(PATTERNS)].join(', ');
  throw new UsageError(`no pattern "${name}"; there are ${known}, and files (./my-pattern.yaml)`);
}

/** Without what every object inherits: there is no pattern called `constructor`. */
function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function toOverrides({ rate, duration, connections, timeout, threshold, seed }: RunFlags): Overrides {
  return {
    ratePerSecond: rate,
    durationMs: duration,
    connections,
    timeoutMs: timeout,
    thresholds: threshold,
    seed,
  };
}

function createObserver(flags: RunFlags, prometheus: Prometheus | undefined, io: Io): RunObserver {
  const reporter = createReporter(flags, io);
  const { ledger, json, annotate, quiet } = flags;
  const note = (text: string) => void (quiet || reporter.note(text));
  io.signal.addEventListener('abort', () =>
    note('stopping: waiting for what is in flight (again to stop at once)'),
  );
  return {
    note,
    phaseStarted: (progress) => reporter.started(progress),
    phaseEnded: () => reporter.ended(),
    async save(report) {
      if (ledger !== undefined) await saveEntry(ledger, report);
      // From the start, and not only at the end: a file that cannot be written is told before anything is sent.
      if (json !== undefined && json !== '-') await writeWhole(json, report);
    },
    mark: async (moment, pattern) => {
      if (prometheus === undefined || !annotate) return;
      await pushMark(prometheus, moment, pattern, reporter.note);
    },
  };
}

function createReporter({ quiet }: RunFlags, { stderr }: Io): ProgressReporter {
  const write = (text: string) => void stderr.write(text);
  if (quiet) return createSilentReporter(write);
  return stderr.isTTY ? createLiveReporter(write, createPaint(stderr)) : createLineReporter(write);
}

function formatOutcome({ report }: RunOutcome, io: Io): string {
  const paint = createPaint(io.stdout);
  const blocks = [
    ...report.phases.map((phase) => formatPhase(phase, paint)),
    formatEnd(report),
    ...(report.proof === null ? [] : [formatProof(report.proof, paint)]),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

/** Interrupted before everything; then a target or Prometheus that was not there; then what failed. */
function exitCodeOf({ report, unreachable }: RunOutcome): number {
  if (report.state === 'interrupted') return EXIT.interrupted;
  const answered = report.phases.some((phase) => phase.answered > 0);
  if (unreachable !== undefined || report.state === 'gave-up' || !answered) return EXIT.unreachable;
  const failed = report.phases.some(({ thresholds }) => thresholds.some(({ ok }) => !ok));
  return failed || (report.proof !== null && report.proof.verdict !== 'proved') ? EXIT.failed : EXIT.ok;
}
