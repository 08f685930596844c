/** Parses the values of flags, or throws a UsageError to which the command line adds the name of the flag. */
import { z } from 'zod';
import { UsageError } from '../common/errors.ts';
import { MOST_SHARDS, type Shard } from '../load/shard.ts';
import { durationSchema, MOST_REQUESTS, targetSchema, thresholdSchema } from '../pattern/pattern.ts';

const RATE = 'expected a number above 0, at most 1000000, or "max"';
export const rateSchema = z.union([z.number().positive(RATE).max(1_000_000, RATE), z.literal('max')], RATE);

const MOMENT =
  'expected a date and time with time zone, such as 2027-01-31T12:00:00Z (date -u -d "+1 minute" +%FT%TZ)';
const momentSchema = z.iso.datetime({ offset: true, error: MOMENT });

export const parseRate = (text: string) => read(rateSchema, text === 'max' ? text : Number(text));
export const parseDuration = (text: string) => read(durationSchema, text);
export const parseMethod = (text: string) => read(targetSchema.shape.method, text);
export const parseThresholdFlag = (text: string) => read(thresholdSchema, text);
/** @returns ms since 1970 */
export const parseMoment = (text: string) => Date.parse(read(momentSchema, text));
export const parseWhole = (text: string) => parseUpTo(undefined, text);
export const parseWorkers = (text: string) => parseUpTo(64, text);
export const parseRequests = (text: string) => parseUpTo(MOST_REQUESTS, text);

function parseUpTo(most: number | undefined, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > (most ?? Number.MAX_SAFE_INTEGER))
    throw new UsageError(`expected a whole number from 1${most === undefined ? '' : ` to ${most}`}`);
  return value;
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

export function parseShard(text: string): Shard {
  const [, index, of] = /^(\d{1,4})\/(\d{1,4})$/.exec(text)?.map(Number) ?? [];
  if (index === undefined || of === undefined || index < 1 || index > of || of > MOST_SHARDS)
    throw new UsageError(`expected i/n with i from 1 to n, and n at most ${MOST_SHARDS}, such as 2/8`);
  return { index, of };
}

function read<T>(schema: z.ZodType<T>, input: unknown, got = ''): T {
  const { success, data, error } = schema.safeParse(input);
  if (success) return data;
  const [issue] = error.issues;
  const [inner = issue] = issue?.code === 'invalid_key' ? issue.issues : [];
  throw new UsageError(`${inner?.message}${got}`);
}
