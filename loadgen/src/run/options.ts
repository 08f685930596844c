/** The options of a run for programs, with the names and formats of flags and pattern files. Reports all problems at once. */
import { z } from 'zod';
import { UsageError } from '../common/errors.ts';
import { AUTO, type MetricsChoice } from '../common/metrics.ts';
import { hideCredentials } from '../common/secrets.ts';
import { type Origin, parseOrigin } from '../http/origin.ts';
import { WHOLE } from '../load/shard.ts';
import * as form from '../pattern/pattern.ts';
import { expand } from '../pattern/pattern-file.ts';
import type { Prometheus } from '../verify/prometheus.ts';
import { connectPrometheus } from './connect-prometheus.ts';
import { collect, metricsOf, type NamedPattern, planPatterns, readPatterns } from './patterns.ts';
import type { Phase } from './plan.ts';
import { readTls } from './tls-files.ts';
import { createUrlPattern, EXAMPLE_URL, parseRequestUrl } from './url-pattern.ts';
import { rateSchema } from './values.ts';

const text = z.string('expected a string').optional();

const optionsSchema = form.targetSchema.omit({ path: true, weight: true, count: true }).extend({
  url: text,
  method: form.targetSchema.shape.method.unwrap().optional(),
  requests: form.targetSchema.shape.count,
  pattern: z
    .union([z.string(), z.looseObject({})], 'expected a pattern, or the name or file of one')
    .optional(),
  target: text,
  rate: rateSchema.optional(),
  duration: form.durationSchema.optional(),
  connections: form.connectionsSchema.optional(),
  timeout: form.durationSchema.optional(),
  thresholds: z.array(form.thresholdSchema).default([]),
  seed: z.int().min(1).default(1),
  insecure: z.boolean('expected true or false').optional(),
  cacert: text,
  cert: text,
  key: text,
  prometheus: text,
  prometheusTokenFile: text,
  prometheusCaFile: text,
  job: z.string().min(1).default('api'),
  metrics: form.metricsChoiceSchema.optional(),
  trace: z.boolean('expected true or false').default(false),
  wait: form.durationSchema.default(30_000),
  signal: z.instanceof(AbortSignal, { error: 'expected an AbortSignal' }).optional(),
});

type Options = z.output<typeof optionsSchema>;

/** A run that can be sent. */
export interface Prepared {
  readonly options: Options;
  readonly origin: Origin;
  readonly phases: readonly Phase[];
  readonly prometheus: Prometheus | undefined;
  readonly metrics: MetricsChoice;
}

/** @throws UsageError with every problem, one per line */
export async function readOptions(given: Readonly<Record<string, unknown>>): Promise<Prepared> {
  try {
    const { success, data: options, error } = optionsSchema.safeParse(given);
    const problems = [...(success ? [] : problemsOf('', given, error)), ...findContradictions(given)];
    const parts = [
      (async () => originOf(given))(),
      readTls({
        ...textsOf(given, 'cacert', 'cert', 'key'),
        ...(given.insecure === true && { insecure: true }),
      }),
      patternsOf(given, problems.length === 0 ? options : undefined),
      connect(given, options?.wait),
      problems.length === 0 ? undefined : Promise.reject(new UsageError(problems.join('\n'))),
    ] as const;
    collect<unknown>(await Promise.allSettled(parts));
    const [origin, tls, patterns, prometheus] = await Promise.all(parts);
    if (options === undefined) throw new TypeError('its problems have been thrown');
    const { rate: ratePerSecond, duration, timeout: timeoutMs, url } = options;
    // If there is a URL, the duration is already in its pattern.
    const durationMs = url === undefined ? duration : undefined;
    const phases = await planPatterns(patterns, { ...options, ratePerSecond, durationMs, timeoutMs }, WHOLE);
    const metrics = options.metrics ?? metricsOf(patterns) ?? AUTO;
    return { options, origin: { ...origin, tls }, phases, prometheus, metrics };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    // Turns the names of flags in messages into names of options: `--prometheus-ca-file` into `prometheusCaFile`.
    const toName = (_: string, flag: string) => flag.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
    throw new UsageError(error.message.replace(/(?<=^|, |")--([a-z-]+)(?=[:,"])/gm, toName));
  }
}

/** Options as given by the caller, not validated yet. */
type Given = Readonly<Record<string, unknown>>;

/** Finds options that are missing or contradict each other. */
function findContradictions(given: Given): string[] {
  const has = (name: string) => given[name] !== undefined;
  const only = (needed: string, ...names: string[]) =>
    has(needed) ? [] : names.filter(has).map((name) => `${name}: expected only with ${needed}`);
  const either = (a: string, b: string) =>
    has(a) === has(b) ? [`${a}, ${b}: expected one of the two, got ${has(a) ? 'both' : 'neither'}`] : [];
  const ofUrl = has('pattern') ? only('url', 'requests', ...Object.keys(form.targetSchema.shape)) : [];
  const needsRate = has('url') && has('duration') && !has('rate');
  const needsTarget = has('pattern') && !has('target');
  return [
    ...either('url', 'pattern'),
    ...(has('url') ? either('requests', 'duration') : ofUrl),
    ...(needsRate ? ['rate: expected a number or "max" together with duration'] : []),
    ...(needsTarget ? ['target: expected the URL of the server together with pattern'] : []),
    ...only('pattern', 'target'),
    ...only('prometheus', 'prometheusTokenFile', 'prometheusCaFile'),
  ];
}

function originOf({ url, target }: Given): Origin {
  if (typeof url !== 'string') return parseOrigin(typeof target === 'string' ? target : EXAMPLE_URL);
  return parseOrigin(parseRequestUrl('url', url, 'set headers instead').origin);
}

async function patternsOf(given: Given, options: Options | undefined): Promise<NamedPattern[]> {
  const { pattern, url } = given;
  if (typeof pattern === 'string') return readPatterns([pattern]);
  if (typeof pattern === 'object') return [{ name: 'pattern', pattern: parsePattern('pattern', pattern) }];
  if (typeof url !== 'string' || !URL.canParse(url) || options === undefined) return [];
  return [createUrlPattern(new URL(url), options)];
}

function parsePattern(name: string, input: unknown): form.Pattern {
  const { success, data, error } = form.patternSchema.safeParse(input);
  if (!success) throw new UsageError(problemsOf(name, input, error).join('\n'));
  return data;
}

async function connect(given: Given, waitMs: number | undefined): Promise<Prometheus | undefined> {
  const { prometheus } = given;
  if (typeof prometheus !== 'string') return undefined;
  const access = textsOf(given, 'prometheusTokenFile', 'prometheusCaFile');
  return connectPrometheus(prometheus, access, {}, waitMs ?? 0);
}

function textsOf(given: Given, ...names: string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => (typeof given[name] === 'string' ? [[name, given[name]]] : [])),
  );
}

/** One line per problem. The values of headers are omitted, because they may be secrets. */
function problemsOf(root: string, given: unknown, { issues }: z.ZodError): string[] {
  return issues.flatMap(expand).map(({ path, message, isKey }) => {
    const name = [...(root === '' ? [] : [root]), ...path].join('.');
    const value = path.reduce((of: unknown, key) => (of as Record<PropertyKey, unknown>)?.[key], given);
    const got = isKey || path.includes('headers') ? '' : `, got ${JSON.stringify(value)?.slice(0, 60)}`;
    return `${name || 'options'}: ${message}${hideCredentials(got)}`;
  });
}
