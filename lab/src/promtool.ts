/**
 * Evaluates queries in scenarios with the engine of the learner's Prometheus version: the tests for `promtool test rules` expect no
 * samples, so promtool reports every sample that it gets. The running Prometheus is not involved.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { toNumber } from 'exact-load/prometheus';
import type { Scenario } from './scenarios.ts';

export interface Sample {
  labels: Readonly<Record<string, string>>;
  value: number;
}

/** Samples, or the engine's reason for refusing the query. */
export type Outcome = { samples: Sample[] } | { refused: string };

export interface Attempt {
  query: string;
  scenario: Scenario;
}

/** @returns one outcome per attempt, in the same order */
export type Evaluate = (attempts: readonly Attempt[]) => Promise<Outcome[]>;

/** Long enough to fill the window of every question. */
const EVAL_TIME = '9m';

/** @param command runs promtool; `test rules /dev/stdin` is appended */
export function createEvaluate(command: readonly string[]): Evaluate {
  return async (attempts) => {
    const report = await run([...command, 'test', 'rules', '/dev/stdin'], toTestFile(attempts));
    const outcomes = parseReport(report);
    // promtool either succeeds, or fails and lists every difference; any other output means that it evaluated no queries.
    if (outcomes.size === 0 && !report.includes('SUCCESS'))
      throw new Error(`promtool: expected a report, got ${report.trim() || '(nothing)'}`);
    // promtool does not list results that match the expected empty result.
    return attempts.map((_, i) => outcomes.get(i) ?? { samples: [] });
  };
}

/** JSON is valid YAML. A comment after each query adds the number of its attempt to the report. */
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

/** The outcomes in promtool's report, by number of the attempt. */
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

/** @returns the output of promtool, whether it succeeds or fails. @throws if it cannot be started */
async function run([program = '', ...words]: readonly string[], input: string): Promise<string> {
  const running = promisify(execFile)(program, words, { maxBuffer: 2 ** 26 });
  // If the program does not start or exits early, the error of the process is more useful than this one.
  running.child.stdin?.on('error', () => {}).end(input);
  const { stdout, stderr } = await running.catch((error) => {
    if (typeof error.code !== 'number') throw error;
    return error;
  });
  return stdout + stderr;
}
