/** Resolves names and files to patterns, and plans their phases. Reports all errors at once. */
import { parse as parsePath } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../common/errors.ts';
import type { MetricsChoice } from '../common/metrics.ts';
import type { Shard } from '../load/shard.ts';
import { GROUPS, PATTERNS } from '../pattern/built-in.ts';
import { type Pattern, patternSchema } from '../pattern/pattern.ts';
import { readPatternFile } from '../pattern/pattern-file.ts';
import { reportSchema } from '../report/report.ts';
import { type Overrides, type Phase, planPhase } from './plan.ts';

export const DEFAULT_PATTERN = 'lab';
export const PATTERN_NAMES = [...Object.keys(GROUPS), ...Object.keys(PATTERNS)];

export interface NamedPattern {
  readonly name: string;
  readonly pattern: Pattern;
}

export async function readPatterns(given: readonly (NamedPattern | string)[]): Promise<NamedPattern[]> {
  const single = given.flatMap<NamedPattern | string>((one) =>
    typeof one === 'string' ? (own(GROUPS, one) ?? [one]) : [one],
  );
  const find = async (one: NamedPattern | string) => (typeof one === 'string' ? findPattern(one) : one);
  return collect(await Promise.allSettled(single.map(find)));
}

/** The metrics that the patterns name. @throws UsageError if they differ */
export function metricsOf(patterns: readonly NamedPattern[]): MetricsChoice | undefined {
  const named = patterns.flatMap(({ pattern }) => pattern.metrics ?? []);
  if (new Set(named.map((metrics) => JSON.stringify(metrics))).size > 1)
    throw new UsageError('metrics: expected the same in all patterns of a run, got different ones');
  return named[0];
}

export async function planPatterns(
  patterns: readonly NamedPattern[],
  overrides: Overrides,
  shard: Shard,
): Promise<Phase[]> {
  const plan = async ({ name, pattern }: NamedPattern) => planPhase(name, pattern, overrides, shard);
  return collect(await Promise.allSettled(patterns.map(plan)));
}

async function findPattern(name: string): Promise<NamedPattern> {
  const input = own(PATTERNS, name);
  if (input !== undefined) return { name, pattern: patternSchema.parse(input) };
  if (/^https?:/i.test(name))
    throw new UsageError(`run: expected patterns, got the URL "${name}"; omit "run", or use --target`);
  if (/[/\\]|\.(ya?ml|json)$/.test(name))
    return { name: parsePath(name).name, pattern: await readPatternFile(name) };
  throw new UsageError(
    `pattern: expected one of ${PATTERN_NAMES.join(', ')}, or a file (./my-pattern.yaml), got "${name}"`,
  );
}

/** Ignores inherited properties: there is no pattern called `constructor`. */
function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** @throws UsageError with the errors of all results; rethrows other errors */
export function collect<T>(results: readonly PromiseSettledResult<T>[]): T[] {
  const reasons: unknown[] = results.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  const unforeseen = reasons.find((reason) => !(reason instanceof UsageError));
  if (unforeseen !== undefined) throw unforeseen;
  const mistakes = reasons.filter((reason) => reason instanceof UsageError);
  if (mistakes.length > 0) throw new UsageError(mistakes.map(({ message }) => message).join('\n'));
  return results.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

const DEMO_ONLY = `These patterns are for the demo API of the observability stack. For any other server,
use a URL (exact-load http://127.0.0.1:3000/users/7 -r 200 -d 30s) or a pattern file.
`;

export function listPatterns(): string {
  const groups = Object.entries(GROUPS).map(([name, members]) => [name, `${members.join(', then ')}`]);
  const rows = [...groups, ...Object.entries(PATTERNS).map(([name, { description }]) => [name, description])];
  const mark = (name: string | undefined) => (name === DEFAULT_PATTERN ? ' (default)' : '');
  const lines = rows.map(([name, text]) => `${name?.padEnd(12)}${text}${mark(name)}\n`);
  return `${lines.join('')}\n${DEMO_ONLY}`;
}

/** @throws UsageError with the errors of all files */
export async function validateFiles(files: readonly string[]): Promise<void> {
  collect(await Promise.allSettled(files.map(readPatternFile)));
}

export const SCHEMAS = {
  pattern: () => z.toJSONSchema(patternSchema, { io: 'input' }),
  report: () => z.toJSONSchema(reportSchema),
};
