/**
 * Evaluates queries in scenarios, with the engine of the learner's own Prometheus: its `promtool test rules` expects nothing,
 * and reports what it got instead. Nothing of this reaches the Prometheus that runs.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { toNumber } from 'exact-load/prometheus';
import type { Scenario } from './scenarios.ts';

export interface Sample {
  labels: Readonly<Record<string, string>>;
  value: number;
}

/** Samples, or what the engine has to say against the query. */
export type Outcome = { samples: Sample[] } | { refused: string };

export interface Attempt {
  query: string;
  scenario: Scenario;
}

/** @returns an outcome for each attempt, in their order */
export type Evaluate = (attempts: readonly Attempt[]) => Promise<Outcome[]>;

/** Long enough for each window that is asked for to be full. */
const EVAL_TIME = '9m';

/** @param command what runs promtool; `test rules /dev/stdin` is put behind it */
export function createEvaluate(command: readonly string[]): Evaluate {
  return async (attempts) => {
    const report = await run([...command, 'test', 'rules', '/dev/stdin'], toTestFile(attempts));
    const outcomes = parseReport(report);
    // It passes with nothing to mention, or fails with each that differs; anything else was no evaluation.
    if (outcomes.size === 0 && !report.includes('SUCCESS'))
      throw new Error(`promtool gave no report: ${report.trim() || '(nothing)'}`);
    // What was expected, that is nothing, is not mentioned.
    return attempts.map((_, i) => outcomes.get(i) ?? { samples: [] });
  };
}

/** JSON is YAML. A comment behind each query says whose result it is. */
export function toTestFile(attempts: readonly Attempt[]): string {
  return JSON.stringify({
    rule_files: [],
    evaluation_interval: '5s',
    tests: attempts.map(({ query, scenario }, i) => ({
      interval: '5s',
      input_series: Object.entries(scenario.series).map(([series, values]) => ({ series, values })),
      promql_expr_test: [{ expr: `${query}\n# attempt ${i}`, eval_time: EVAL_TIME }],
    })),
  });
}

/** The outcomes that promtool mentions, by the number of the attempt. */
export function parseReport(report: string): Map<number, Outcome> {
  const outcomes = new Map<number, Outcome>();
  const entries = report.split(/^\s+expr: /m).slice(1);
  for (const entry of entries) {
    const [, number] = /\\n# attempt (\d+)", time: /.exec(entry) ?? [];
    if (number === undefined) continue;
    const [, refused] = /", time: [^,]*, err: (.*)/.exec(entry) ?? [];
    const [, got = ''] = /^\s+got: (.*)$/m.exec(entry) ?? [];
    outcomes.set(Number(number), refused === undefined ? { samples: parseSamples(got) } : { refused });
  }
  return outcomes;
}

function parseSamples(got: string): Sample[] {
  const samples = [...got.matchAll(/\{((?:[^"{}]|"(?:[^"\\]|\\.)*")*)\} ([^\s,]+)/g)];
  return samples.map(([, labels = '', value]) => ({
    labels: Object.fromEntries(
      [...labels.matchAll(/([\w:]+)=("(?:[^"\\]|\\.)*")/g)].map(([, name = '', text = '""']) => [
        name,
        String(JSON.parse(text)),
      ]),
    ),
    value: toNumber(value),
  }));
}

/** @returns what it prints, whether it passes or fails. @throws when it cannot be started */
async function run([program = '', ...words]: readonly string[], input: string): Promise<string> {
  const running = promisify(execFile)(program, words, { maxBuffer: 2 ** 26 });
  // A program that could not be started, or ends early, says why by itself.
  running.child.stdin?.on('error', () => {}).end(input);
  const { stdout, stderr } = await running.catch((error) => {
    if (typeof error.code !== 'number') throw error;
    return error;
  });
  return stdout + stderr;
}
