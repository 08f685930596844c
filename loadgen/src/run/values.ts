/** Parses the values of flags, or throws a UsageError to which the command line adds the flag. */
import { z } from 'zod';
import { UsageError } from '../common/errors.ts';
import { parseDurationMs } from '../common/units.ts';
import { MOST_SHARDS, type Shard } from '../load/shard.ts';
import { parseThreshold, THRESHOLD_FORM, THRESHOLD_PATTERN, type Threshold } from '../load/thresholds.ts';
import { MOST_REQUESTS, targetSchema } from '../pattern/pattern.ts';

export function parseRate(text: string): number | 'max' {
  const rate = Number(text);
  if (text === 'max') return text;
  if (!(rate > 0 && rate <= 1_000_000))
    throw new UsageError('expected a number above 0, at most 1000000, or max');
  return rate;
}

export function parseDuration(text: string): number {
  const durationMs = parseDurationMs(text);
  if (durationMs === undefined) throw new UsageError('expected a duration such as 250ms, 30s, 5m, 1h');
  return durationMs;
}

export const parseWhole = (text: string) => parseUpTo(undefined, text);
export const parseWorkers = (text: string) => parseUpTo(64, text);
export const parseRequests = (text: string) => parseUpTo(MOST_REQUESTS, text);

function parseUpTo(most: number | undefined, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > (most ?? Number.MAX_SAFE_INTEGER))
    throw new UsageError(`expected a whole number from 1${most === undefined ? '' : ` to ${most}`}`);
  return value;
}

export function parseMethod(text: string): string {
  return read(targetSchema.shape.method, text);
}

/** @returns all headers so far. Errors contain only the name, because the value may be a secret */
export function parseHeader(line: string, before: Readonly<Record<string, string>> = {}) {
  const [, name, value = ''] = /^([^:]+):[ \t]*(.*?)[ \t]*$/s.exec(line) ?? [];
  if (name === undefined)
    throw new UsageError(`expected "Name: value", got ${JSON.stringify(line.replace(/(\s).*/s, '$1...'))}`);
  const got = JSON.stringify(name);
  if (Object.hasOwn(before, name)) throw new UsageError(`expected each header once, got ${got}`);
  return read(targetSchema.shape.headers, { ...before, [name]: value }, `, got ${got}`);
}

function read<T>(schema: z.ZodType<T>, input: unknown, got = ''): T {
  const { success, data, error } = schema.safeParse(input);
  if (success) return data;
  const [issue] = error.issues;
  const [inner = issue] = issue?.code === 'invalid_key' ? issue.issues : [];
  throw new UsageError(`${inner?.message}${got}`);
}

export function parseShard(text: string): Shard {
  const [, index, of] = /^(\d{1,4})\/(\d{1,4})$/.exec(text)?.map(Number) ?? [];
  if (index === undefined || of === undefined || index < 1 || index > of || of > MOST_SHARDS)
    throw new UsageError(`expected i/n with i from 1 to n, and n at most ${MOST_SHARDS}, such as 2/8`);
  return { index, of };
}

/** @returns ms since 1970 */
export function parseMoment(text: string): number {
  if (!z.iso.datetime({ offset: true }).safeParse(text).success)
    throw new UsageError(
      'expected a date and time with time zone, such as 2027-01-31T12:00:00Z (date -u -d "+1 minute" +%FT%TZ)',
    );
  return Date.parse(text);
}

export function parseThresholdFlag(text: string): Threshold {
  if (!THRESHOLD_PATTERN.test(text)) throw new UsageError(`expected ${THRESHOLD_FORM}`);
  return parseThreshold(text);
}
